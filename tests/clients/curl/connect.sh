curl --silent --show-error --cacert ca.pem --cert comune.pem --key comune.key -H 'Content-Type: text/xml; charset=utf-8' \
    --data-binary @- 'https://localhost:8443/isee/ConsultazioneISEE/v1' <<'XML' | xmllint --xpath 'string(//*[local-name()="Esito"])' -
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
  <ConsultazioneIndicatore xmlns="http://inps.it/ConsultazioneISEE"><request>
    <TipoIndicatore>Ordinario</TipoIndicatore>
    <RicercaCF><CodiceFiscale>FRRGLI84E52H501O</CodiceFiscale><PrestazioneDaErogare>A1.07</PrestazioneDaErogare></RicercaCF>
  </request></ConsultazioneIndicatore>
</s:Body></s:Envelope>
XML
