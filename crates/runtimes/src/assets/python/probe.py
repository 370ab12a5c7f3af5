# Says where an interpreter's parts are, and that it has all that functions expect of it.
import asyncio, bz2, ctypes, decimal, email, hashlib, json, lzma, sqlite3, ssl, sys, sysconfig, uuid, zlib

print(sys.version.split()[0])
print(sysconfig.get_path("stdlib", vars={"base": sys.base_prefix, "installed_base": sys.base_prefix}))
print(sysconfig.get_path("platstdlib", vars={"platbase": sys.base_exec_prefix, "installed_platbase": sys.base_exec_prefix}))
