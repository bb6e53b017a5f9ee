use strict; use warnings; use SOAP::Lite;
my %tls = (SSL_ca_file => 'ca.pem', SSL_cert_file => 'comune.pem', SSL_key_file => 'comune.key');
my $soap = SOAP::Lite->new;
$soap->schema->useragent->ssl_opts(%tls);
my $isee = $soap->service('https://localhost:8443/isee/ConsultazioneISEE/v1?wsdl');
$isee->proxy('https://localhost:8443/', ssl_opts => \%tls)->autotype(0);
sub e { my ($name, @content) = @_; SOAP::Data->name("tns:$name" => ref $content[0] ? \SOAP::Data->value(@content) : @content) }
my $answer = $isee->ConsultazioneIndicatore(e(request => e(TipoIndicatore => 'Ordinario'),
    e(RicercaCF => e(CodiceFiscale => 'FRRGLI84E52H501O'), e(PrestazioneDaErogare => 'A1.07'))));
print "$answer->{Esito}\n";
