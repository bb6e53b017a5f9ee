#!/bin/sh
# In a new Debian system with nothing else: the package before is installed and put to use, the new one takes its place under a running
# gateway, is removed and purged. Each line that is wrong ends the script. Given: the directory with the two packages.
set -eux
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

as_varco() { CREDENTIALS_DIRECTORY=/run/segreti setpriv --reuid varco --regid varco --init-groups "$@"; }

# The one before.
dpkg -i "$1"/varco_0.0.9-1_amd64.deb
[ "$(stat -c %U:%a /var/lib/varco)" = varco:700 ]
[ "$(stat -c %U:%a /etc/varco/crl)" = varco:755 ]
[ -e /usr/share/bash-completion/completions/varco ]
varco --version
# As the configuration of the package wants it.
cd /etc/varco
varco pki ca autorita --nome "Autorità di prova"
varco pki server autorita localhost --dove server
varco pki client autorita "Comune di Esempio" --codice-fiscale 01234567897 --dove /root/comune
cp autorita/ca.pem autorita.pem
install -o varco -g varco -m 0644 autorita/crl.pem crl/autorita.crl
install -d -o varco -m 0700 /run/segreti
install -o varco -m 0400 server.key /run/segreti/server.key
sed -i 's/^listen = .*/listen = "127.0.0.1:0"/' varco.toml
echo '# Una riga di chi amministra.' >>varco.toml
as_varco varco init --config /etc/varco/varco.toml
# By an operator, from anywhere: no option, and no secret of the service.
cd /
varco check-config

serve() {
    CREDENTIALS_DIRECTORY=/run/segreti setpriv --reuid varco --regid varco --init-groups varco serve >/tmp/serve.log 2>&1 &
    porta=$!
    for _ in $(seq 100); do
        if varco status >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    cat /tmp/serve.log
    exit 1
}
finish() {
    kill -TERM "$porta"
    wait "$porta"
}
serve
varco ente richiedi comune --denominazione "Comune di Esempio" --codice-fiscale 01234567897 --tipo comune --pec "PEC del 3 marzo" \
    --base-giuridica "DPCM 159/2013" --finalita "rette" --motivo prova
varco ente accredita comune --motivo prova

# From end to end, with an ente that it makes and takes away.
varco prova

# The new one, while the gateway runs and the data directory is in use.
dpkg -i "$1"/varco_*-1_amd64.deb.new
varco status
grep 'Una riga di chi amministra' /etc/varco/varco.toml
finish
serve
varco ente mostra comune | grep accreditato
finish
as_varco varco ledger verify

# Removed: the configuration and the data stay. Purged: the data and its keys stay.
dpkg -r varco
[ ! -e /usr/bin/varco ] && [ -e /etc/varco/varco.toml ] && [ -e /var/lib/varco/data/FORMAT ]
dpkg -P varco
[ ! -e /etc/varco/varco.toml ] && [ ! -e /etc/varco/crl ]
[ -e /var/lib/varco/data/FORMAT ] && [ -e /var/lib/varco/data/keys/master.key ]
echo FINITO
