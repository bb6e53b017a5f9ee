<?php
$tls = stream_context_create(['ssl' => ['cafile' => 'ca.pem', 'local_cert' => 'comune.pem', 'local_pk' => 'comune.key']]);
$isee = new SoapClient('https://localhost:8443/isee/ConsultazioneISEE/v1?wsdl', ['stream_context' => $tls]);
$answer = $isee->ConsultazioneIndicatore(['request' => [
    'TipoIndicatore' => 'Ordinario',
    'RicercaCF' => ['CodiceFiscale' => 'FRRGLI84E52H501O', 'PrestazioneDaErogare' => 'A1.07'],
]]);
echo $answer->ConsultazioneIndicatoreResult->Esito, "\n";
