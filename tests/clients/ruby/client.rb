# soap4r against the port: tests/clients/README.md says what is asked and what is printed.
require 'fileutils'
require 'httpclient'
require 'rexml/document'
require 'soap/wsdlDriver'

# soap4r takes only RSA keys, and only ASCII in the patterns of a schema.
def (SOAP::HTTPConfigLoader).key_from_file(name) = OpenSSL::PKey.read(File.read(name))

class WSDL::XMLSchema::Pattern
  def parse_attr(_, value) = parent.pattern = /\A(?:#{value.source})\z/
end

def say(*fields) = puts(fields.map { |field| field.to_s.gsub(/\s+/, ' ').strip }.join("\t"))

# Of a WSDL soap4r says what it has to say as Ruby's warnings.
def Warning.warn(text, **) = say('warning', text)

URL, PKI, DAY = ENV.values_at('VARCO_URL', 'VARCO_PKI', 'VARCO_DAY')

# The driver made of a WSDL, and the WSDL. soap4r reads soap/property where it is: for the WSDL, and for the calls.
def service(ente, name)
  FileUtils.mkdir_p("#{ente}/soap")
  tls = { ca_file: "#{PKI}/ca.pem", client_cert: "#{PKI}/#{ente}.pem", client_key: "#{PKI}/#{ente}.key" }
  File.write("#{ente}/soap/property", tls.map { |key, file| "client.protocol.http.ssl_config.#{key} = #{file}\n" }.join)
  Dir.chdir(ente) do
    factory = SOAP::WSDLDriverFactory.new("#{URL}/isee/#{name}/v1?wsdl")
    [factory.create_rpc_driver, factory.wsdl]
  end
end

# What the driver takes for an element: attributes as xmlattr_NAME and children by name, and a list of those that the schema lets repeat.
def values(xml, type, types)
  return xml.text unless type.is_a?(WSDL::XMLSchema::ComplexType)

  values = xml.attributes.to_h { |name, value| ["xmlattr_#{name}", value] }
  type.nested_elements.each do |element|
    name = element.name.name
    children = xml.elements.select { |child| child.name == name }
    children.map! { |child| values(child, element.local_complextype || types[element.type], types) }
    values[name] = element.map_as_array? ? children : children.first unless children.empty?
  end
  values
end

# To the driver base64 is text.
def bytes(text) = [text.unpack1('m')].pack('m0')

trasmissione, wsdl = service('caf', 'TrasmissioneDSU')
xml = REXML::Document.new(File.read('dsu.xml', encoding: 'UTF-8')).root
types = wsdl.collect_complextypes
dsu = values(xml, types[wsdl.collect_elements[XSD::QName.new(xml.namespace, xml.name)].type], types)

result = trasmissione.TrasmissioneDSU('Dichiarazione' => dsu).trasmissioneDSUResult
say('trasmissione.IdRichiesta', result.idRichiesta)
say('trasmissione.Esito', result.esito)
say('trasmissione.ProtocolloDSU', result.accettazione.protocolloDSU)
say('trasmissione.IstanteRicezione', result.accettazione.istanteRicezione)
say('trasmissione.Impronta', result.accettazione.impronta)
say('trasmissione.XmlRicevuta', bytes(result.accettazione.xmlRicevuta))
protocollo = result.accettazione.protocolloDSU

isee, = service('comune', 'ConsultazioneISEE')
search = {
  'CodiceFiscale' => 'FRRGLI84E52H501O',
  'DataValidita' => DAY,
  'PrestazioneDaErogare' => 'A1.07',
  'ProtocolloDomandaEnteErogatore' => 'perché/€ à',
  'StatodomandaPrestazione' => 'Da Erogare'
}
indicatore = lambda do |search|
  isee.ConsultazioneIndicatore('request' => { 'TipoIndicatore' => 'Ordinario', 'RicercaCF' => search }).consultazioneIndicatoreResult
end
result = indicatore.(search)
say('indicatore.IdRichiesta', result.idRichiesta)
say('indicatore.Esito', result.esito)
say('indicatore.XmlEsitoIndicatore', bytes(result.xmlEsitoIndicatore))

search_protocol = { 'ProtocolloDSU' => protocollo, 'CodiceFiscaleBeneficiario' => 'GLLSFO14B60H501C', 'PrestazioneDaErogare' => 'A1.07' }
result = isee.ConsultazioneAttestazione('request' => { 'RicercaProtDSU' => search_protocol }).consultazioneAttestazioneResult
say('attestazione.IdRichiesta', result.idRichiesta)
say('attestazione.Esito', result.esito)
say('attestazione.XmlEsitoAttestazione', bytes(result.xmlEsitoAttestazione))

result = indicatore.(search.merge('CodiceFiscale' => 'RSSMRA80A01H501U'))
say('assente.Esito', result.esito)
say('assente.DescrizioneErrore', result.descrizioneErrore)

begin
  service('comune', 'TrasmissioneDSU').first.TrasmissioneDSU('Dichiarazione' => dsu)
rescue SOAP::FaultError => fault
  say('fault.faultcode', fault.faultcode.data[/[^:]*\z/])
  say('fault.faultstring', fault.faultstring.data)
end

# An agent for each ente, which keeps its connections; what is to be closed has one of its own.
def agent(ente)
  agent = HTTPClient.new
  agent.ssl_config.add_trust_ca("#{PKI}/ca.pem")
  agent.ssl_config.client_cert = OpenSSL::X509::Certificate.new(File.read("#{PKI}/#{ente}.pem"))
  agent.ssl_config.client_key = OpenSSL::PKey.read(File.read("#{PKI}/#{ente}.key"))
  agent
end
kept = Hash.new { |agents, ente| agents[ente] = agent(ente) }

# Of content without a size HTTPClient does not know the length, and sends it in chunks.
def sizeless(bytes) = StringIO.new(bytes).tap { |content| content.singleton_class.undef_method(:size) }

File.foreach('cases.tsv', chomp: true) do |line|
  name, ente, path, type, action, headers, transfer, connection, file = line.split("\t")
  sent = { 'Content-Type' => type }
  sent['SOAPAction'] = action unless action == '-'
  sent['Expect'] = '100-continue' if transfer == 'expect'
  sent['Connection'] = 'close' if connection == 'close'
  headers.split(';').each { |header| sent.store(*header.split(/:\s*/, 2)) } unless headers == '-'
  body = File.binread("cases/#{file}")
  http = connection == 'close' ? agent(ente) : kept[ente]
  reply = http.post(URL + path, transfer == 'chunked' ? sizeless(body) : body, sent)
  say("case.#{name}", reply.status, [reply.content].pack('m0'))
end
