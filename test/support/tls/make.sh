#!/bin/sh
# Makes the certificates of the TLS tests: two authorities, a server, clients, an expired server. Valid for 100 years.
# Needs openssl; run it in this folder.
set -eu
ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj "/CN=$2" -keyout "$1.key" -out "$1.pem" 2>/dev/null; }
leaf() { # name, authority, subject, extensions, days
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$3" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  printf '%s\n' "$4" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -extfile "$1.ext" -out "$1.pem" $5 2>/dev/null
  rm "$1.csr" "$1.ext"
}
ca ca "blobwire test authority"
ca other-ca "another authority"
leaf server ca server "subjectAltName=DNS:localhost,IP:127.0.0.1" "-days 36500"
leaf wrong-host ca wrong-host "subjectAltName=DNS:elsewhere.example" "-days 36500"
leaf expired ca expired "subjectAltName=DNS:localhost,IP:127.0.0.1" "-days -1"
leaf client ca client "extendedKeyUsage=clientAuth" "-days 36500"
leaf other-client other-ca other-client "extendedKeyUsage=clientAuth" "-days 36500"
leaf expired-client ca expired-client "extendedKeyUsage=clientAuth" "-days -1"
rm -f ./*.srl ca.key other-ca.key
