/* Loaded into Node.js after a restore: reseeds the OpenSSL that is part of its program from the kernel. All generators that draw
   from this one notice. Not linked with anything: the program has the symbols. */
extern int RAND_poll(void);
extern void RAND_seed(const void *bytes, int length);
extern long getrandom(void *bytes, unsigned long length, unsigned int flags);

__attribute__((constructor)) static void reseed(void) {
    unsigned char bytes[64];
    if (getrandom(bytes, sizeof bytes, 0) == (long)sizeof bytes)
        RAND_seed(bytes, sizeof bytes);
    RAND_poll();
}
