require 'soap/wsdlDriver'
# soap4r takes only RSA keys, and only ASCII in the patterns of a schema.
def (SOAP::HTTPConfigLoader).key_from_file(name) = OpenSSL::PKey.read(File.read(name))
class WSDL::XMLSchema::Pattern; def parse_attr(_, value) = parent.pattern = /\A(?:#{value.source})\z/; end
Dir.mkdir('soap') unless Dir.exist?('soap') # It reads soap/property: for the WSDL, and for the calls.
tls = { ca_file: 'ca.pem', client_cert: 'comune.pem', client_key: 'comune.key' }
File.write('soap/property', tls.map { |key, file| "client.protocol.http.ssl_config.#{key} = #{file}\n" }.join)
isee = SOAP::WSDLDriverFactory.new('https://localhost:8443/isee/ConsultazioneISEE/v1?wsdl').create_rpc_driver
search = { 'CodiceFiscale' => 'FRRGLI84E52H501O', 'PrestazioneDaErogare' => 'A1.07' }
puts isee.ConsultazioneIndicatore(request: { 'TipoIndicatore' => 'Ordinario', 'RicercaCF' => search }).consultazioneIndicatoreResult.esito
