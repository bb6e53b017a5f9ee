const fs = require('fs'), { promisify } = require('util'), { soap } = require('strong-soap');

const [ca, cert, key] = ['ca.pem', 'comune.pem', 'comune.key'].map((file) => fs.readFileSync(file));
const options = { wsdl_options: { ca, cert, key, proxy: null }, date: { timezone: { enabled: false } } };
promisify(soap.createClient)('https://localhost:8443/isee/ConsultazioneISEE/v1?wsdl', options).then(async (client) => {
  client.setSecurity(new soap.ClientSSLSecurity(key, cert, ca, { proxy: null }));
  const person = { CodiceFiscale: 'FRRGLI84E52H501O', PrestazioneDaErogare: 'A1.07' };
  const { result } = await client.ConsultazioneIndicatore({ request: { TipoIndicatore: 'Ordinario', RicercaCF: person } });
  console.log(result.ConsultazioneIndicatoreResult.Esito);
});
