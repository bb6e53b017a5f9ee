#!/usr/bin/env bash
# A client that we did not write: curl, over mutually authenticated TLS, in every manner of HTTP that clients of this kind use.
#
#   curl.sh PORT PKI WORK
#
# PORT is the port's TCP port, PKI the directory with certificates and keys, WORK a directory with
#
#   dsu.xml           a Dichiarazione, with a character beyond ASCII that ISO-8859-1 has too
#   trasmissione.xml  the envelope that transmits it
#   indicatore.xml    an envelope that asks for the indicator, with ProtocolloDomandaEnteErogatore @DOMANDA@
#
# All in UTF-8, with an XML declaration that says so. Replies and traces are left in WORK. `tests/interop/clients.rs` runs it; the first
# check that does not hold ends it with a message and status 1.
set -euo pipefail

port=$1 pki=$2 work=$3
readonly host="https://localhost:$port"
readonly dsu="$host/isee/TrasmissioneDSU/v1" isee="$host/isee/ConsultazioneISEE/v1"
readonly text='Content-Type: text/xml; charset=utf-8'
cd "$work"

die() {
    printf 'curl.sh: %s\n' "$*" >&2
    exit 1
}

# same WHAT FOUND EXPECTED
same() {
    [ "$2" = "$3" ] || die "$1: found '$2', expected '$3'"
}

# has WHAT FILE PATTERN: some line of FILE matches PATTERN, an extended regular expression.
has() {
    grep -Eq -- "$3" "$2" || die "$1: nothing in $2 matches '$3': $(cat "$2")"
}

# hasnt WHAT FILE PATTERN: no line does.
hasnt() {
    ! grep -Eq -- "$3" "$2" || die "$1: something in $2 matches '$3'"
}

# as ENTE ARGUMENT...: curl with the certificate of ENTE. -q: no configuration of the user's; and no proxy.
as() {
    local who=$1
    shift
    curl -q --noproxy '*' --silent --show-error --http1.1 --max-time 30 \
        --cacert "$pki/ca.pem" --cert "$pki/$who.pem" --key "$pki/$who.key" "$@"
}

# call NAME STATUS ENTE ARGUMENT...: one exchange, which must end with HTTP STATUS. Leaves NAME.body, NAME.head and the trace NAME.trace.
call() {
    local name=$1 status=$2 who=$3 found
    shift 3
    found=$(as "$who" --verbose --output "$name.body" --dump-header "$name.head" --write-out '%{http_code}' "$@" 2>"$name.trace") ||
        die "$name: curl ended with status $?: $(cat "$name.trace")"
    same "$name: HTTP status" "$found" "$status"
    has "$name: type of the reply" "$name.head" '^[Cc]ontent-[Tt]ype: text/xml; charset=UTF-8'
}

# part NAME ELEMENT: the text of the first such element of a reply; empty if it has none.
part() {
    xmllint --nonet --xpath "string(//*[local-name()='$2'])" "$1.body" || die "$1: no XML: $(cat "$1.body")"
}

# accepted NAME: the reply accepts the DSU, as it was accepted the first time.
protocol='' receipt='' last=0
accepted() {
    same "$1: Esito" "$(part "$1" Esito)" OK
    same "$1: Impronta" "$(part "$1" Impronta)" "$impronta"
    if [ -z "$protocol" ]; then
        protocol=$(part "$1" ProtocolloDSU)
        receipt=$(part "$1" XmlRicevuta)
        [[ $protocol =~ ^INPS-ISEE-[0-9]{4}-[0-9]{8}[A-Z]-00$ ]] || die "$1: protocol '$protocol'"
    fi
    same "$1: protocol" "$(part "$1" ProtocolloDSU)" "$protocol"
    same "$1: receipt" "$(part "$1" XmlRicevuta)" "$receipt"
    # Every exchange has a number of its own.
    [ "$(part "$1" IdRichiesta)" -gt "$last" ] || die "$1: IdRichiesta $(part "$1" IdRichiesta) after $last"
    last=$(part "$1" IdRichiesta)
}

# retrieved NAME DOMANDA: the reply is the indicator, and its payload echoes DOMANDA, read by a parser that we did not write.
retrieved() {
    same "$1: Esito" "$(part "$1" Esito)" OK
    part "$1" XmlEsitoIndicatore | base64 -d >"$1.payload"
    same "$1: protocol in the payload" "$(xmllint --nonet --xpath 'string(/*/@ProtocolloDSU)' "$1.payload")" "$protocol"
    same "$1: echo" "$(xmllint --nonet --xpath 'string(/*/*/@ProtocolloDomandaEnteErogatore)' "$1.payload")" "$2"
}

# refused NAME FAULTCODE TYPE: the reply is that fault.
refused() {
    same "$1: faultcode" "$(part "$1" faultcode)" "SOAP-ENV:$2"
    same "$1: type" "$(part "$1" type)" "urn:varco:problem:$3"
}

# ask DOMANDA: the request for the indicator, in UTF-8.
ask() {
    sed "s|@DOMANDA@|$1|" indicatore.xml
}

# declared ENCODING: what is read, with ENCODING in its XML declaration in place of UTF-8.
declared() {
    sed "1s|encoding=\"UTF-8\"|encoding=\"$1\"|"
}

# The imprint, in xmllint's canonical form and not in ours. The file ends with the root, as the canonical form does.
impronta=$(xmllint --nonet --exc-c14n dsu.xml | sha256sum | cut -d ' ' -f 1)

# Transmission and retrieval, with each version of TLS.
ask 'DOM-1' >ask.xml
for version in 1.2 1.3; do
    call "dsu-tls$version" 200 caf "--tlsv$version" --tls-max "$version" -H "$text" --data-binary @trasmissione.xml "$dsu"
    has "TLS $version" "dsu-tls$version.trace" "^\* SSL connection using TLSv$version "
    accepted "dsu-tls$version"
    call "isee-tls$version" 200 comune "--tlsv$version" --tls-max "$version" -H "$text" --data-binary @ask.xml "$isee"
    has "TLS $version" "isee-tls$version.trace" "^\* SSL connection using TLSv$version "
    retrieved "isee-tls$version" DOM-1
done

# Older ones are refused by the port, and not by curl.
status=0
as comune --verbose --tlsv1.0 --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0 -H "$text" --data-binary @ask.xml "$isee" >old.body 2>old.trace || status=$?
same 'TLS 1.1: status of curl' "$status" 35
has 'TLS 1.1' old.trace '^\* TLSv1\.1 \(IN\), TLS alert, (protocol version|handshake failure)'

# Without a certificate, and with one of another authority. In TLS 1.3 the client learns it only when it
# reads: curl's status is 56 then, and 35 in a handshake; 98 where the alert says that a certificate is required.
for version in 1.2 1.3; do
    status=0
    curl -q --noproxy '*' --silent --show-error --max-time 30 --cacert "$pki/ca.pem" "--tlsv$version" --tls-max "$version" \
        --write-out '%{http_code}' -H "$text" --data-binary @ask.xml "$isee" >nobody.out 2>nobody.err || status=$?
    [[ $status =~ ^(35|56|98)$ ]] || die "without a certificate, TLS $version: status of curl $status: $(cat nobody.err)"
    same "without a certificate, TLS $version: HTTP status" "$(cat nobody.out)" 000
    has "without a certificate, TLS $version" nobody.err 'alert (certificate required|handshake failure|bad certificate)'
    status=0
    as straniero "--tlsv$version" --tls-max "$version" --write-out '%{http_code}' -H "$text" --data-binary @ask.xml "$isee" \
        >stranger.out 2>stranger.err || status=$?
    [[ $status =~ ^(35|56)$ ]] || die "a stranger, TLS $version: status of curl $status: $(cat stranger.err)"
    same "a stranger, TLS $version: HTTP status" "$(cat stranger.out)" 000
    has "a stranger, TLS $version" stranger.err 'alert unknown ca'
done

# Keep-alive: two exchanges, one connection. Connection: close: two of them, and the port says that it closes.
connections=$(as caf --output kept-1.body --output kept-2.body --write-out '%{http_code} %{http_version} %{num_connects};' \
    -H "$text" --data-binary @trasmissione.xml "$dsu" "$dsu")
same keep-alive "$connections" '200 1.1 1;200 1.1 0;'
accepted kept-1
accepted kept-2
connections=$(as caf --output closed-1.body --output closed-2.body --dump-header closed.head --write-out '%{http_code} %{num_connects};' \
    -H 'Connection: close' -H "$text" --data-binary @trasmissione.xml "$dsu" "$dsu")
same 'Connection: close' "$connections" '200 1;200 1;'
same 'Connection: close, said back' "$(grep -Eic '^connection: close' closed.head)" 2
accepted closed-1
accepted closed-2

# HTTP/1.0, which libcurl says in ALPN too: "http/1.0" alone.
call http-1.0 200 caf --http1.0 -H "$text" --data-binary @trasmissione.xml "$dsu"
has 'HTTP/1.0, ALPN' http-1.0.trace '^\* ALPN: server accepted http/1\.0'
accepted http-1.0
# A connection that is kept says for how long; one that is closed says nothing of that.
call kept 200 caf -H "$text" --data-binary @trasmissione.xml "$dsu"
has 'Keep-Alive' kept.head '^[Kk]eep-[Aa]live: timeout=[0-9]+'
hasnt 'Keep-Alive, closed' closed.head '^[Kk]eep-[Aa]live:'

# Expect: 100-continue, as .NET sends it; and an upload in chunks; and both.
call expect 200 caf -H 'Expect: 100-continue' -H "$text" --data-binary @trasmissione.xml "$dsu"
has Expect expect.trace '^< HTTP/1\.1 100 Continue'
accepted expect
call chunked 200 caf -H 'Transfer-Encoding: chunked' -H "$text" --data-binary @trasmissione.xml "$dsu"
has chunked chunked.trace '^> Transfer-Encoding: chunked'
hasnt chunked chunked.trace '^> Content-Length'
accepted chunked
call both 200 caf -H 'Expect: 100-continue' -H 'Transfer-Encoding: chunked' -H "$text" --data-binary @trasmissione.xml "$dsu"
has 'Expect and chunked' both.trace '^< HTTP/1\.1 100 Continue'
accepted both

# SOAPAction: as the WSDL has it in quotes, empty in quotes, and none (in all the other calls).
call action 200 caf -H 'SOAPAction: "urn:varco:trasmissione-dsu:1/TrasmissioneDSU"' -H "$text" --data-binary @trasmissione.xml "$dsu"
accepted action
call action-empty 200 caf -H 'SOAPAction: ""' -H "$text" --data-binary @trasmissione.xml "$dsu"
accepted action-empty
hasnt 'no SOAPAction' chunked.trace '^> SOAPAction'
call action-isee 200 comune -H 'SOAPAction: "http://inps.it/ConsultazioneISEE/ISvcConsultazione/ConsultazioneIndicatore"' -H "$text" \
    --data-binary @ask.xml "$isee"
retrieved action-isee DOM-1

# Encodings. Whatever the bytes were, the imprint is that of the text in UTF-8, so all are the same transmission; and what is echoed
# must be right to the character.
iconv -f UTF-8 -t ISO-8859-1 trasmissione.xml >latin1.xml
LC_ALL=C grep -q $'\xc0' latin1.xml || die 'latin1.xml has no À: the file of the DSU has nothing beyond ASCII'
call latin1 200 caf -H 'Content-Type: text/xml; charset=ISO-8859-1' --data-binary @latin1.xml "$dsu"
accepted latin1
ask 'perché/à' | iconv -f UTF-8 -t ISO-8859-1 >ask-latin1.xml
call ask-latin1 200 comune -H 'Content-Type: text/xml; charset="iso-8859-1"' --data-binary @ask-latin1.xml "$isee"
retrieved ask-latin1 'perché/à'

declared windows-1252 <trasmissione.xml | iconv -f UTF-8 -t WINDOWS-1252 >windows.xml
call windows 200 caf -H 'Content-Type: text/xml' --data-binary @windows.xml "$dsu"
accepted windows
ask '€ “è”' | declared windows-1252 | iconv -f UTF-8 -t WINDOWS-1252 >ask-windows.xml
call ask-windows 200 comune -H 'Content-Type: text/xml' --data-binary @ask-windows.xml "$isee"
retrieved ask-windows '€ “è”'

for order in LE BE; do
    mark='\xff\xfe'
    [ "$order" = LE ] || mark='\xfe\xff'
    { printf '%b' "$mark" && declared UTF-16 <trasmissione.xml | iconv -f UTF-8 -t "UTF-16$order"; } >"utf16$order.xml"
    call "utf16$order" 200 caf -H 'Content-Type: text/xml; charset=utf-16' --data-binary @"utf16$order.xml" "$dsu"
    accepted "utf16$order"
    # The mark alone suffices, and characters beyond the first plane hold.
    { printf '%b' "$mark" && ask 'à€𝄞' | declared UTF-16 | iconv -f UTF-8 -t "UTF-16$order"; } >"ask-utf16$order.xml"
    call "ask-utf16$order" 200 comune -H 'Content-Type: text/xml' --data-binary @"ask-utf16$order.xml" "$isee"
    retrieved "ask-utf16$order" 'à€𝄞'
done

# The same bytes under the wrong name are not taken for text.
call mislabelled 500 caf -H "$text" --data-binary @latin1.xml "$dsu"
refused mislabelled Client.MalformedXML xml
call unknown-charset 415 caf -H 'Content-Type: text/xml; charset=ibm850' --data-binary @trasmissione.xml "$dsu"
refused unknown-charset Client.UnsupportedMediaType media-type
call json 415 caf -H 'Content-Type: application/json' --data-binary @trasmissione.xml "$dsu"
refused json Client.UnsupportedMediaType media-type
gzip -c trasmissione.xml >trasmissione.gz
call gzip 415 caf -H "$text" -H 'Content-Encoding: gzip' --data-binary @trasmissione.gz "$dsu"
refused gzip Client.UnsupportedMediaType media-type

# What is HTTP's own business.
for address in "$dsu" "$isee" "$isee?wsd"; do
    call get 405 comune "$address"
    refused get Client.MethodNotAllowed method
    has 'GET without ?wsdl' get.head '^[Aa]llow: POST, GET'
done
call put 405 caf -X PUT -H "$text" --data-binary @trasmissione.xml "$dsu"
refused put Client.MethodNotAllowed method
for address in "$host/" "$host/isee/ConsultazioneISEE/v2" "$dsu/altro"; do
    call nowhere 404 comune -H "$text" --data-binary @ask.xml "$address"
    refused nowhere Client.NotFound path
done
# A slash too many leads where it would without.
call slash 200 caf -H "$text" --data-binary @trasmissione.xml "$dsu/"
accepted slash
call elsewhere 500 caf -H "$text" --data-binary @trasmissione.xml "$isee"
refused elsewhere Client.UnknownOperation wrong-path

# 3 MiB and 16, where 2 are allowed. With the length said and without, having asked to go on and not: each time the client must be able
# to read why, though it was still sending. More than once, since an answer that is cut off is cut off only now and then.
for size in 3 16; do
    { cat trasmissione.xml && head -c $((size << 20)) /dev/zero | tr '\0' ' '; } >large.xml
    for manner in 'Expect:' 'Expect: 100-continue' 'Transfer-Encoding: chunked'; do
        for again in 1 2 3 4 5; do
            name="large-$size-${manner//[!a-zA-Z]/}-$again"
            call "$name" 413 caf -H "$manner" -H "$text" --data-binary @large.xml "$dsu"
            refused "$name" Client.PayloadTooLarge size
        done
    done
done
# The same for what is refused before its body is read.
{ cat ask.xml && head -c 1900000 /dev/zero | tr '\0' ' '; } >unread.xml
for again in 1 2 3 4 5; do
    call "unread-path-$again" 404 comune -H 'Expect:' -H "$text" --data-binary @unread.xml "$host/"
    refused "unread-path-$again" Client.NotFound path
    call "unread-gzip-$again" 415 comune -H 'Expect:' -H 'Content-Encoding: gzip' -H "$text" --data-binary @unread.xml "$isee"
    refused "unread-gzip-$again" Client.UnsupportedMediaType media-type
    call "unread-ente-$again" 500 sospeso -H 'Expect:' -H "$text" --data-binary @unread.xml "$isee"
    refused "unread-ente-$again" Client.Authorization authorization
done
# And under the limit the same is taken.
{ cat trasmissione.xml && head -c 1048576 /dev/zero | tr '\0' ' '; } >fits.xml
call fits 200 caf -H "$text" --data-binary @fits.xml "$dsu"
accepted fits

# The contract.
for address in "$dsu" "$isee"; do
    call wsdl 200 comune "$address?wsdl"
    same 'root of the WSDL' "$(xmllint --nonet --xpath 'name(/*)' wsdl.body)" wsdl:definitions
    same 'address in the WSDL' "$(xmllint --nonet --xpath "string(//*[local-name()='address']/@location)" wsdl.body)" "$address"
done
