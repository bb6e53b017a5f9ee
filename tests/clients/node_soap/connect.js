const fs = require('fs'), https = require('https'), soap = require('soap');

const [ca, cert, key] = ['ca.pem', 'comune.pem', 'comune.key'].map((file) => fs.readFileSync(file));
const wsdl_options = { httpsAgent: new https.Agent({ ca, cert, key }), proxy: false };
soap.createClientAsync('https://localhost:8443/isee/ConsultazioneISEE/v1?wsdl', { wsdl_options }).then(async (client) => {
  client.setSecurity(new soap.ClientSSLSecurity(key, cert, ca, { proxy: false }));
  const person = { CodiceFiscale: 'FRRGLI84E52H501O', PrestazioneDaErogare: 'A1.07' };
  const [answer] = await client.ConsultazioneIndicatoreAsync({ request: { TipoIndicatore: 'Ordinario', RicercaCF: person } });
  console.log(answer.ConsultazioneIndicatoreResult.Esito);
});
