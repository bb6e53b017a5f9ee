// The steps of README.md for the clients in JavaScript. A client brings what differs: its library.
'use strict';

const { execFileSync } = require('child_process');
const fs = require('fs');
const https = require('https');
const path = require('path');
const sax = require('sax');

const { VARCO_URL: url, VARCO_PORT: port, VARCO_PKI: pki, VARCO_WORK: work, VARCO_DAY: day } = process.env;
const soap12 = process.env.VARCO_SOAP === '1.2';
const mtom = process.env.VARCO_MTOM === '1';

/** A fault, as the library understood it. */
class Fault extends Error {
  constructor(code, text) {
    super(text);
    this.code = code;
  }
}

const say = (name, ...values) => console.log([name, ...values].join('\t'));

/** Neither library decodes base64Binary: it is decoded here, so that what is not base64 does not go through. */
function encoded(text) {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new Error(`no base64: ${text}`);
  return bytes.toString('base64');
}

const read = (...names) => fs.readFileSync(path.join(...names));
const tls = (ente) => ({ ca: read(pki, 'ca.pem'), cert: read(pki, `${ente}.pem`), key: read(pki, `${ente}.key`) });

/** An XML document as both libraries take it: attributes by their names under one key, children by theirs, several of one name in a list. */
function values(xml, attributesKey) {
  const open = [{}];
  const parser = sax.parser(true, { xmlns: true });
  parser.onerror = (error) => {
    throw error;
  };
  parser.onopentag = ({ local, attributes }) => {
    const plain = Object.values(attributes).filter(({ prefix, name }) => prefix !== 'xmlns' && name !== 'xmlns');
    const element = { [attributesKey]: Object.fromEntries(plain.map(({ name, value }) => [name, value])) };
    const parent = open[open.length - 1];
    // strong-soap takes a list only where the schema allows several.
    parent[local] = local in parent ? [parent[local], element].flat() : element;
    open.push(element);
  };
  parser.onclosetag = () => open.pop();
  parser.write(xml).close();
  return open[0];
}

/** The port of a service, as both libraries name it. */
async function connect(library, ente, service) {
  const client = await library.client(tls(ente), `${url}/isee/${service}/v1?wsdl${soap12 ? '=1.2' : ''}`);
  const name = service.replace('ISEE', '');
  return client[`Svc${name}`][`${soap12 ? 'Soap12' : 'BasicHttpBinding'}_ISvc${name}`];
}

/** One exchange: the result, or the fault as both libraries leave it, parsed. In SOAP 1.2 its text is an object, since it has xml:lang. */
const call = (port, operation, request, attachments = []) =>
  new Promise((resolve, reject) => {
    const done = (error, answer) => {
      const fault = error?.root?.Envelope?.Body?.Fault;
      if (fault?.Code) reject(new Fault(fault.Code.Value, fault.Reason.Text.$value));
      else if (fault) reject(new Fault(fault.faultcode, fault.faultstring));
      else if (error) reject(error);
      else resolve(answer[`${operation}Result`]);
    };
    port[operation](request, done, { attachments });
  });

/** All the steps. `library` has attributesKey, and client(tls, address), a promise of a client. */
async function run(library, example) {
  const protocol = await transmit(library);
  await consult(library, protocol);
  await refused(library);
  await cases();
  if (!soap12 && !mtom) inTenLines(example);
}

/** The request that transmits dsu.xml, from its values or as an attachment. */
function transmission(library) {
  const dsu = read(work, 'dsu.xml');
  if (!mtom) return [values(dsu.toString(), library.attributesKey)];
  const attachment = { mimetype: 'application/octet-stream', contentId: 'dsu@esempio', name: 'dsu.xml', body: dsu };
  // Literal XML, since the schema knows no xop:Include.
  const $xml = `<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:${attachment.contentId}"/>`;
  return [{ XmlDichiarazione: { $xml } }, [attachment]];
}

async function transmit(library) {
  const caf = await connect(library, 'caf', 'TrasmissioneDSU');
  const answer = await call(caf, 'TrasmissioneDSU', ...transmission(library));
  say('trasmissione.IdRichiesta', answer.IdRichiesta);
  say('trasmissione.Esito', answer.Esito);
  const accepted = answer.Accettazione;
  say('trasmissione.ProtocolloDSU', accepted.ProtocolloDSU);
  say('trasmissione.IstanteRicezione', new Date(accepted.IstanteRicezione).toISOString());
  say('trasmissione.Impronta', accepted.Impronta);
  say('trasmissione.XmlRicevuta', encoded(accepted.XmlRicevuta));
  return accepted.ProtocolloDSU;
}

async function consult(library, protocol) {
  const comune = await connect(library, 'comune', 'ConsultazioneISEE');
  const person = {
    CodiceFiscale: 'FRRGLI84E52H501O',
    DataValidita: day,
    PrestazioneDaErogare: 'A1.07',
    ProtocolloDomandaEnteErogatore: 'perché/€ à',
    StatodomandaPrestazione: 'Da Erogare',
  };
  const indicatore = (about) => call(comune, 'ConsultazioneIndicatore', { request: { TipoIndicatore: 'Ordinario', RicercaCF: about } });
  let answer = await indicatore(person);
  say('indicatore.IdRichiesta', answer.IdRichiesta);
  say('indicatore.Esito', answer.Esito);
  say('indicatore.XmlEsitoIndicatore', encoded(answer.XmlEsitoIndicatore));

  const by = { ProtocolloDSU: protocol, CodiceFiscaleBeneficiario: 'GLLSFO14B60H501C', PrestazioneDaErogare: 'A1.07' };
  answer = await call(comune, 'ConsultazioneAttestazione', { request: { RicercaProtDSU: by } });
  say('attestazione.IdRichiesta', answer.IdRichiesta);
  say('attestazione.Esito', answer.Esito);
  say('attestazione.XmlEsitoAttestazione', encoded(answer.XmlEsitoAttestazione));

  answer = await indicatore({ ...person, CodiceFiscale: 'RSSMRA80A01H501U' });
  say('assente.Esito', answer.Esito);
  say('assente.DescrizioneErrore', answer.DescrizioneErrore);
}

async function refused(library) {
  const comune = await connect(library, 'comune', 'TrasmissioneDSU');
  try {
    await call(comune, 'TrasmissioneDSU', ...transmission(library));
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    say('fault.faultcode', fault.code.split(':').pop());
    say('fault.faultstring', fault.message);
  }
}

/** The cases over Node's own https: one connection of each ente's, but for those that want one of their own. */
async function cases() {
  const agents = {};
  const kept = (ente) => (agents[ente] ??= new https.Agent({ ...tls(ente), keepAlive: true, maxSockets: 1 }));
  for (const line of read(work, 'cases.tsv').toString().trim().split('\n')) {
    const [name, ente, location, type, action, more, transfer, connection, body] = line.split('\t');
    const close = connection === 'close';
    const headers = { 'Content-Type': type };
    if (action !== '-') headers.SOAPAction = action;
    for (const header of more === '-' ? [] : more.split(';')) {
      const [key, value] = header.split(': ');
      headers[key] = value;
    }
    const agent = close ? new https.Agent(tls(ente)) : kept(ente);
    if (close) headers.Connection = 'close';
    const { status, reply } = await send({ agent, port, path: location, method: 'POST', headers }, transfer, read(work, 'cases', body));
    say(`case.${name}`, status, reply.toString('base64'));
  }
  Object.values(agents).forEach((agent) => agent.destroy());
}

function send(options, transfer, body) {
  return new Promise((resolve, reject) => {
    if (transfer !== 'chunked') options.headers['Content-Length'] = body.length;
    if (transfer === 'expect') options.headers.Expect = '100-continue';
    const request = https.request({ host: 'localhost', timeout: 30000, ...options }, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, reply: Buffer.concat(pieces) }));
    });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('no reply')));
    if (transfer === 'expect') {
      // Node sends the headers at once; the body goes out only after the 100.
      request.on('continue', () => request.end(body));
    } else if (transfer === 'chunked') {
      for (let start = 0; start < body.length; start += 1000) request.write(body.subarray(start, start + 1000));
      request.end();
    } else {
      request.end(body);
    }
  });
}

/** connect.js as it is, but for the port. */
function inTenLines(example) {
  const home = path.join(work, 'connect');
  fs.mkdirSync(home);
  for (const name of ['ca.pem', 'comune.pem', 'comune.key']) fs.copyFileSync(path.join(pki, name), path.join(home, name));
  fs.writeFileSync(path.join(home, 'connect.js'), read(example).toString().replace('localhost:8443', `localhost:${port}`));
  say('connect', execFileSync(process.execPath, ['connect.js'], { cwd: home, encoding: 'utf8' }).trim());
}

module.exports = { run, soap12 };
