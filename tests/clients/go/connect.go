package main; import ("crypto/tls"; "crypto/x509"; "encoding/xml"; "fmt"; "net/http"; "os"; "strings")
func main() {
	ca, _ := os.ReadFile("ca.pem"); own, _ := tls.LoadX509KeyPair("comune.pem", "comune.key") // without these files the handshake fails, and says so
	port := &tls.Config{RootCAs: x509.NewCertPool(), Certificates: []tls.Certificate{own}}; port.RootCAs.AppendCertsFromPEM(ca)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: port}}; const url = "https://localhost:8443/isee/ConsultazioneISEE/v1"
	const ask = `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><ConsultazioneIndicatore xmlns="http://inps.it/ConsultazioneISEE"><request>
		<TipoIndicatore>Ordinario</TipoIndicatore><RicercaCF><CodiceFiscale>FRRGLI84E52H501O</CodiceFiscale><PrestazioneDaErogare>A1.07</PrestazioneDaErogare>
		</RicercaCF></request></ConsultazioneIndicatore></Body></Envelope>`; reply, err := client.Post(url, "text/xml; charset=utf-8", strings.NewReader(ask))
	if err != nil { panic(err) }; var said struct { Esito string `xml:"Body>ConsultazioneIndicatoreResponse>ConsultazioneIndicatoreResult>Esito"` }
	if err := xml.NewDecoder(reply.Body).Decode(&said); err != nil { panic(err) }; fmt.Println(said.Esito) }
