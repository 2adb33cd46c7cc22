#!/bin/sh
# Gives one shop a version: till-update.sh shop-3 2.0. Told twice is told once.
exec python3 - "$1" "$2" <<'END'
import socket, sys

link = socket.socket(socket.AF_UNIX)
link.settimeout(5)
link.connect("/srv/shop/admin.sock")
link.sendall(f"set map /srv/shop/tills.map {sys.argv[1]} {sys.argv[2]}\n".encode())
complaint = link.makefile().read().strip()
sys.exit(complaint or None)
END
