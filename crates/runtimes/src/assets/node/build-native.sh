#!/bin/sh
# Builds the native part of aws-lambda-ric from the sources in its package, as the package's own install scripts do, but
# with a C++ compiler and make alone (no cmake, autotools, node-gyp, or headers of one Node.js version).
#
# usage: build-native.sh NODE_MODULES WORK_DIR OUTPUT
set -eu
modules=$1 work=$2 output=$3
deps=$modules/aws-lambda-ric/deps
jobs=$(nproc 2>/dev/null || echo 1)
: "${CC:=cc}" "${CXX:=c++}"

mkdir -p "$work/curl" "$work/cpp"
tar -xJf "$deps/curl.tar.xz" --no-same-owner -C "$work/curl" 2>/dev/null
tar -xJf "$deps/aws-lambda-cpp.tar.xz" --no-same-owner -C "$work/cpp" 2>/dev/null

cd "$work/curl"
# Only plain HTTP to the Runtime API is used. Options as in the package's scripts/preinstall.sh.
CC="$CC" ./configure --quiet --disable-dependency-tracking --disable-shared --with-pic \
    --disable-alt-svc --disable-ares --disable-cookies --disable-crypto-auth --disable-dateparse --disable-dict \
    --disable-dnsshuffle --disable-doh --disable-file --disable-ftp --disable-get-easy-options --disable-gopher --disable-hsts \
    --disable-http-auth --disable-imap --disable-ipv6 --disable-ldap --disable-ldaps --disable-libcurl-option --disable-manual \
    --disable-mime --disable-mqtt --disable-netrc --disable-ntlm-wb --disable-pop3 --disable-progress-meter --disable-proxy \
    --disable-pthreads --disable-rtsp --disable-smtp --disable-socketpair --disable-sspi --disable-telnet --disable-tftp \
    --disable-threaded-resolver --disable-unix-sockets --disable-verbose --disable-versioned-symbols \
    --without-brotli --without-ca-bundle --without-gssapi --without-libidn2 --without-libpsl --without-librtmp \
    --without-libssh2 --without-nghttp2 --without-nghttp3 --without-ngtcp2 --without-ssl --without-zlib --without-zstd >/dev/null
make -s -C lib -j"$jobs" libcurl.la >/dev/null 2>&1

cd "$work/cpp"
version=$(sed -n 's/^ *VERSION \([0-9][0-9.]*\).*/\1/p' CMakeLists.txt | head -n 1)
sed -e "s/@PROJECT_VERSION@/$version/" -e 's/@PROJECT_VERSION_[A-Z]*@/0/' src/version.cpp.in >src/version.cpp
# The client includes these headers but uses Node-API alone, whose binary interface is the same for all versions of Node.js.
mkdir -p "$work/unused"
for header in uv.h v8.h node.h; do : >"$work/unused/$header"; done
# NAPI exceptions on, symbols hidden, as its binding.gyp asks.
compile() {
    "$CXX" -std=c++17 -O2 -fPIC -fvisibility=hidden -fexceptions -DNODE_GYP_MODULE_NAME=rapid_client -DBUILDING_NODE_EXTENSION \
        -DCURL_STATICLIB -I include -I "$work/curl/include" -I "$modules/node-api-headers/include" -I "$modules/node-addon-api" \
        -I "$work/unused" \
        -c "$1" -o "$2"
}
objects=
for source in src/runtime.cpp src/logging.cpp src/version.cpp "$modules/aws-lambda-ric/src/native/rapid-client.cc"; do
    object=$work/$(basename "$source").o
    compile "$source" "$object" &
    objects="$objects $object"
    jobs_running="${jobs_running:-} $!"
done
for job in $jobs_running; do wait "$job"; done
# shellcheck disable=SC2086 # a list of words
"$CXX" -shared -o "$output.new" $objects "$work/curl/lib/.libs/libcurl.a" -Wl,--gc-sections -Wl,-s -static-libstdc++ -static-libgcc -pthread
mv "$output.new" "$output"
