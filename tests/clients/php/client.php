<?php
// SoapClient against the port: tests/clients/README.md says what is asked and what is printed.

declare(strict_types=1);

// What ext/soap has to say of a WSDL it says as PHP's warnings.
set_error_handler(function (int $level, string $text): bool {
    say('warning', $text);
    return true;
});

function say(string ...$fields): void
{
    echo implode("\t", array_map(fn ($field) => strtr($field, "\r\n\t", '   '), $fields)), "\n";
}

function of(string $variable): string
{
    $value = getenv('VARCO_' . $variable);
    return $value === false ? throw new RuntimeException("no VARCO_$variable") : $value;
}

function client(string $ente, string $service): SoapClient
{
    $pki = of('PKI');
    $soap12 = of('SOAP') === '1.2';
    // The peer and its name are verified by default.
    $tls = ['cafile' => "$pki/ca.pem", 'local_cert' => "$pki/$ente.pem", 'local_pk' => "$pki/$ente.key"];
    return new SoapClient(of('URL') . "/isee/$service/v1?wsdl" . ($soap12 ? '=1.2' : ''), [
        'soap_version' => $soap12 ? SOAP_1_2 : SOAP_1_1,
        'stream_context' => stream_context_create(['ssl' => $tls]),
    ]);
}

// What SoapClient takes for an element: its attributes and its children by name, and where several have the same name, a list of them.
function values(SimpleXMLElement $element): array
{
    $values = [];
    foreach ($element->attributes() as $name => $attribute) {
        $text = (string) $attribute;
        // To PHP the text "false" is true.
        $values[$name] = match ($text) { 'true' => true, 'false' => false, default => $text };
    }
    $children = [];
    foreach ($element->children() as $name => $child) {
        $children[$name][] = values($child);
    }
    return $values + array_map(fn ($same) => count($same) === 1 ? $same[0] : $same, $children);
}

function request(CurlHandle $http, array $case): array
{
    [, $ente, $path, $type, $action, $headers, $transfer, $connection, $body] = $case;
    $pki = of('PKI');
    $lines = ["Content-Type: $type", $transfer === 'expect' ? 'Expect: 100-continue' : 'Expect:'];
    if ($action !== '-') {
        $lines[] = "SOAPAction: $action";
    }
    if ($headers !== '-') {
        array_push($lines, ...explode(';', $headers));
    }
    if ($transfer === 'chunked') {
        $lines[] = 'Transfer-Encoding: chunked';
    }
    if ($connection === 'close') {
        $lines[] = 'Connection: close';
    }
    curl_setopt_array($http, [
        CURLOPT_URL => of('URL') . $path,
        CURLOPT_HTTP_VERSION => CURL_HTTP_VERSION_1_1,
        CURLOPT_PROXY => '',
        CURLOPT_CAINFO => "$pki/ca.pem",
        CURLOPT_SSLCERT => "$pki/$ente.pem",
        CURLOPT_SSLKEY => "$pki/$ente.key",
        CURLOPT_HTTPHEADER => $lines,
        CURLOPT_POSTFIELDS => file_get_contents(of('WORK') . "/cases/$body"),
        CURLOPT_FRESH_CONNECT => $connection === 'close',
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 30,
    ]);
    $reply = curl_exec($http);
    if ($reply === false) {
        throw new RuntimeException("$case[0]: " . curl_error($http));
    }
    return [(string) curl_getinfo($http, CURLINFO_RESPONSE_CODE), base64_encode($reply)];
}

$dsu = values(simplexml_load_file(of('WORK') . '/dsu.xml'));
$result = client('caf', 'TrasmissioneDSU')->TrasmissioneDSU(['Dichiarazione' => $dsu])->TrasmissioneDSUResult;
say('trasmissione.IdRichiesta', (string) $result->IdRichiesta);
say('trasmissione.Esito', $result->Esito);
say('trasmissione.ProtocolloDSU', $result->Accettazione->ProtocolloDSU);
say('trasmissione.IstanteRicezione', $result->Accettazione->IstanteRicezione);
say('trasmissione.Impronta', $result->Accettazione->Impronta);
say('trasmissione.XmlRicevuta', base64_encode($result->Accettazione->XmlRicevuta));
$protocollo = $result->Accettazione->ProtocolloDSU;

$isee = client('comune', 'ConsultazioneISEE');
$ricerca = [
    'CodiceFiscale' => 'FRRGLI84E52H501O',
    'DataValidita' => of('DAY'),
    'PrestazioneDaErogare' => 'A1.07',
    'ProtocolloDomandaEnteErogatore' => 'perché/€ à',
    'StatodomandaPrestazione' => 'Da Erogare',
];
$indicatore = fn (array $ricerca) => $isee->ConsultazioneIndicatore(
    ['request' => ['TipoIndicatore' => 'Ordinario', 'RicercaCF' => $ricerca]],
)->ConsultazioneIndicatoreResult;
$result = $indicatore($ricerca);
say('indicatore.IdRichiesta', (string) $result->IdRichiesta);
say('indicatore.Esito', $result->Esito);
say('indicatore.XmlEsitoIndicatore', base64_encode($result->XmlEsitoIndicatore));

$result = $isee->ConsultazioneAttestazione(['request' => ['RicercaProtDSU' => [
    'ProtocolloDSU' => $protocollo,
    'CodiceFiscaleBeneficiario' => 'GLLSFO14B60H501C',
    'PrestazioneDaErogare' => 'A1.07',
]]])->ConsultazioneAttestazioneResult;
say('attestazione.IdRichiesta', (string) $result->IdRichiesta);
say('attestazione.Esito', $result->Esito);
say('attestazione.XmlEsitoAttestazione', base64_encode($result->XmlEsitoAttestazione));

$result = $indicatore(['CodiceFiscale' => 'RSSMRA80A01H501U'] + $ricerca);
say('assente.Esito', $result->Esito);
say('assente.DescrizioneErrore', $result->DescrizioneErrore);

try {
    client('comune', 'TrasmissioneDSU')->TrasmissioneDSU(['Dichiarazione' => $dsu]);
} catch (SoapFault $fault) {
    say('fault.faultcode', preg_replace('/^.*:/', '', $fault->faultcode));
    say('fault.faultstring', $fault->faultstring);
}

// One handle: a connection is kept for the next case, as long as the certificate is the same.
$http = curl_init();
foreach (file(of('WORK') . '/cases.tsv', FILE_IGNORE_NEW_LINES) as $line) {
    $case = explode("\t", $line);
    say("case.$case[0]", ...request($http, $case));
}
