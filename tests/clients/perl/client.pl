#!/usr/bin/perl
# SOAP::Lite against the port: tests/clients/README.md says what is asked and what is printed.
use v5.36;
use utf8;

use HTTP::Request;
use LWP::UserAgent;
use MIME::Base64 qw(decode_base64 encode_base64);
use SOAP::Lite;
use XML::Parser;

binmode STDOUT, ':encoding(UTF-8)';
$SIG{__WARN__} = sub ($text) { say_fact('warning', $text) };

sub say_fact (@fields) {
    say join "\t", map { s{\s+}{ }gr } @fields;
}

my ($url, $pki, $work, $day) = @ENV{qw(VARCO_URL VARCO_PKI VARCO_WORK VARCO_DAY)};
my $soap12 = $ENV{VARCO_SOAP} eq '1.2';
# For the whole process: SOAP::Lite has one version at a time.
SOAP::Lite->soapversion($ENV{VARCO_SOAP});

# LWP verifies the server and its name by default.
sub tls ($ente) {
    return (SSL_ca_file => "$pki/ca.pem", SSL_cert_file => "$pki/$ente.pem", SSL_key_file => "$pki/$ente.key");
}

# The class made of a WSDL. It has a transport of its own: the one that read the WSDL serves for nothing else.
sub service ($ente, $name) {
    my $soap = SOAP::Lite->new;
    $soap->schema->useragent->ssl_opts(tls($ente));
    my $service = $soap->service("$url/isee/$name/v1" . ($soap12 ? '?wsdl=1.2' : '?wsdl'));
    # SOAP 1.2 allows no encodingStyle on the envelope, and literal messages have none.
    $service->autotype(0)->encodingStyle('')->want_som(1);
    return as($ente, $service);
}

sub as ($ente, $service) {
    return $service->proxy($url, ssl_opts => {tls($ente)});
}

# An element of the service's namespace, which SOAP::Lite calls by the prefix that it has in the WSDL.
sub element ($name, @content) {
    return SOAP::Data->name("tns:$name" => ref $content[0] ? \SOAP::Data->value(@content) : @content);
}

# What SOAP::Lite takes for an element that XML::Parser made a tree of: attributes, then name and content of each child. Text has the name 0.
sub data ($name, $tree) {
    my ($attributes, @rest) = @$tree;
    my ($text, @children) = '';
    while (my ($child, $content) = splice @rest, 0, 2) {
        if   ($child eq '0') { $text .= $content }
        else                 { push @children, data($child, $content) }
    }
    my @value = @children ? \SOAP::Data->value(@children) : $text =~ /\S/ ? $text : ();
    return SOAP::Data->name($name)->attr($attributes)->set_value(@value);
}

# The schema is not read, so to SOAP::Lite base64 is text.
sub bytes ($text) {
    return encode_base64(decode_base64($text), '');
}

sub result ($som) {
    die join(': ', fault($som)), "\n" if $som->valueof('/Envelope/Body/Fault');
    return $som->result;
}

# SOAP::Lite has accessors for the faults of SOAP 1.1 alone; those of SOAP 1.2 are found by their path.
sub fault ($som) {
    my ($code, $text) = $soap12
        ? map { $som->valueof("/Envelope/Body/Fault/$_") } qw(Code/Value Reason/Text)
        : ($som->faultcode, $som->faultstring);
    return ($code =~ s/^.*://r, $text);
}

my $dsu = data(XML::Parser->new(Style => 'Tree')->parsefile("$work/dsu.xml")->@*);
my $trasmissione = service('caf', 'TrasmissioneDSU');
my $result = result($trasmissione->TrasmissioneDSU($dsu));
my $accettazione = $result->{Accettazione};
say_fact("trasmissione.$_", $result->{$_}) for qw(IdRichiesta Esito);
say_fact("trasmissione.$_", $accettazione->{$_}) for qw(ProtocolloDSU IstanteRicezione Impronta);
say_fact('trasmissione.XmlRicevuta', bytes($accettazione->{XmlRicevuta}));

my $isee = service('comune', 'ConsultazioneISEE');
sub indicatore ($codice_fiscale) {
    return result($isee->ConsultazioneIndicatore(element(
        request => element(TipoIndicatore => 'Ordinario'),
        element(
            RicercaCF => element(CodiceFiscale => $codice_fiscale),
            element(DataValidita                   => $day),
            element(PrestazioneDaErogare           => 'A1.07'),
            element(ProtocolloDomandaEnteErogatore => 'perché/€ à'),
            element(StatodomandaPrestazione        => 'Da Erogare'),
        ),
    )));
}

$result = indicatore('FRRGLI84E52H501O');
say_fact("indicatore.$_", $result->{$_}) for qw(IdRichiesta Esito);
say_fact('indicatore.XmlEsitoIndicatore', bytes($result->{XmlEsitoIndicatore}));

$result = result($isee->ConsultazioneAttestazione(element(
    request => element(
        RicercaProtDSU => element(ProtocolloDSU => $accettazione->{ProtocolloDSU}),
        element(CodiceFiscaleBeneficiario => 'GLLSFO14B60H501C'),
        element(PrestazioneDaErogare      => 'A1.07'),
    ),
)));
say_fact("attestazione.$_", $result->{$_}) for qw(IdRichiesta Esito);
say_fact('attestazione.XmlEsitoAttestazione', bytes($result->{XmlEsitoAttestazione}));

$result = indicatore('RSSMRA80A01H501U');
say_fact("assente.$_", $result->{$_}) for qw(Esito DescrizioneErrore);

my ($code, $text) = fault(as('comune', $trasmissione)->TrasmissioneDSU($dsu));
say_fact('fault.faultcode',   $code);
say_fact('fault.faultstring', $text);

# LWP keeps connections by address alone: each ente has an agent of its own, and what is to be closed a new one, which keeps none.
my %kept;
sub agent ($ente, $keep) {
    my $new = sub { LWP::UserAgent->new(keep_alive => $keep, timeout => 30, ssl_opts => {tls($ente)}) };
    return $keep ? $kept{$ente} //= $new->() : $new->();
}

sub slurp ($file) {
    open my $in, '<:raw', $file or die "$file: $!";
    local $/ = undef;
    return <$in>;
}

open my $cases, '<', "$work/cases.tsv" or die "cases.tsv: $!";
while (my $line = <$cases>) {
    chomp $line;
    my ($name, $ente, $path, $type, $action, $headers, $transfer, $connection, $file) = split /\t/, $line;
    my $request = HTTP::Request->new(POST => "$url$path", ['Content-Type' => $type]);
    $request->header(SOAPAction => $action)       if $action ne '-';
    $request->header(Expect     => '100-continue') if $transfer eq 'expect';
    if ($headers ne '-') {
        $request->header(split /:\s*/, $_, 2) for split /;/, $headers;
    }
    my $body = slurp("$work/cases/$file");
    # Of content that comes from a function LWP does not know the length, and sends it in chunks.
    my @chunks = unpack '(a100)*', $body;
    $request->content($transfer eq 'chunked' ? sub { shift @chunks } : $body);
    my $response = agent($ente, $connection eq 'keep')->request($request);
    say_fact("case.$name", $response->code, encode_base64($response->content, ''));
}
