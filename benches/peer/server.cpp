// A SOAP server that gSOAP made of wsdl/ConsultazioneISEE.wsdl, to stand beside the port in `benches/port.rs`: it reads each request into the
// generated classes, writes its reply from them, over the same mutual TLS. It checks nothing more, asks nobody, encrypts nothing at rest.
//
//   server ADDRESS PORT HOME plain             what it answers is recorded nowhere
//   server ADDRESS PORT HOME each BYTES FILE   so many bytes are appended and synced for each request, before the reply leaves
//   server ADDRESS PORT HOME groups BYTES FILE the same; one sync serves the requests that wait for it
//
// HOME has pki/ (ca.pem, crl.pem), peer.pem (certificate and key, which gSOAP takes from one file), and the replies: indicatore.xml and
// attestazione.xml, each the content of a SOAP body.

#include "BasicHttpBinding_USCOREISvcConsultazione.nsmap"
#include "soapBasicHttpBinding_USCOREISvcConsultazioneService.h"

#include <condition_variable>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <mutex>
#include <string>
#include <sys/prctl.h>
#include <thread>
#include <unistd.h>

using Service = BasicHttpBinding_USCOREISvcConsultazioneService;

// A file of records. A request returns when its own is on the disk.
class Record {
  public:
    Record(const std::string &mode, size_t bytes, const char *path) : groups(mode == "groups"), line(bytes, 'r') {
        file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
        if (file < 0) {
            perror(path);
            exit(1);
        }
        if (groups) std::thread([this] { commit(); }).detach();
    }

    void append() {
        std::unique_lock<std::mutex> held(lock);
        if (!groups) return write(line);
        waiting += line;
        const auto mine = ++asked;
        some.notify_one();
        durable.wait(held, [&] { return done >= mine; });
    }

  private:
    const bool groups;
    const std::string line;
    int file;
    std::mutex lock;
    std::condition_variable some, durable;
    std::string waiting;
    unsigned long asked = 0, done = 0;

    void write(const std::string &bytes) {
        if (::write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) || fdatasync(file)) {
            perror("record");
            exit(1);
        }
    }

    void commit() {
        std::string batch;
        std::unique_lock<std::mutex> held(lock);
        while (true) {
            some.wait(held, [&] { return !waiting.empty(); });
            batch.clear();
            batch.swap(waiting);
            const auto last = asked;
            held.unlock();
            write(batch);
            held.lock();
            done = last;
            durable.notify_all();
        }
    }
};

static Record *record = nullptr;
static _isee__ConsultazioneIndicatoreResponse indicatore;
static _isee__ConsultazioneAttestazioneResponse attestazione;

static int recorded() {
    if (record) record->append();
    return SOAP_OK;
}

int Service::ConsultazioneIndicatore(_isee__ConsultazioneIndicatore *, _isee__ConsultazioneIndicatoreResponse &reply) {
    reply = indicatore;
    reply.soap = soap;
    return recorded();
}

int Service::ConsultazioneAttestazione(_isee__ConsultazioneAttestazione *, _isee__ConsultazioneAttestazioneResponse &reply) {
    reply = attestazione;
    reply.soap = soap;
    return recorded();
}

int Service::ConsultazioneAttestazioneResidenti(_isee__ConsultazioneAttestazioneResidenti *, _isee__ConsultazioneAttestazioneResidentiResponse &) { return SOAP_NO_METHOD; }
int Service::ConsultazioneDichiarazione(_isee__ConsultazioneDichiarazione *, _isee__ConsultazioneDichiarazioneResponse &) { return SOAP_NO_METHOD; }
int Service::ConsultazioneSogliaIndicatore(_isee__ConsultazioneSogliaIndicatore *, _isee__ConsultazioneSogliaIndicatoreResponse &) { return SOAP_NO_METHOD; }

// The requests of a connection, one after another.
static void serve(Service *service) {
    if (service->ssl_accept() == SOAP_OK) service->serve();
    service->destroy();
    delete service;
}

template <class Reply> static void read(soap *context, const std::string &path, Reply &reply, int (*parse)(soap *, Reply *)) {
    std::ifstream in(path);
    context->is = &in;
    if (parse(context, &reply)) {
        soap_print_fault(context, stderr);
        exit(1);
    }
    context->is = nullptr;
}

int main(int count, char **arguments) {
    if (count != 5 && count != 7) return 2;
    const std::string home = arguments[3], mode = arguments[4], pki = home + "/pki/";
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGTERM); // a bench that is killed leaves no server behind
    soap_ssl_init();

    // The replies are kept as long as the process.
    soap *kept = soap_new1(SOAP_C_UTFSTRING);
    soap_set_namespaces(kept, namespaces);
    read<_isee__ConsultazioneIndicatoreResponse>(kept, home + "/indicatore.xml", indicatore, soap_read__isee__ConsultazioneIndicatoreResponse);
    read<_isee__ConsultazioneAttestazioneResponse>(kept, home + "/attestazione.xml", attestazione, soap_read__isee__ConsultazioneAttestazioneResponse);
    if (count == 7) record = new Record(mode, std::stoul(arguments[5]), arguments[6]);

    const std::string identity = home + "/peer.pem", authority = pki + "ca.pem", list = pki + "crl.pem";
    Service service(SOAP_IO_KEEPALIVE | SOAP_C_UTFSTRING);
    service.soap->max_keep_alive = 2000000000;
    service.soap->crlfile = list.c_str();
    if (soap_ssl_server_context(service.soap, SOAP_SSL_REQUIRE_CLIENT_AUTHENTICATION | SOAP_SSL_NO_DEFAULT_CA_PATH, identity.c_str(), nullptr, authority.c_str(), nullptr, nullptr, nullptr, nullptr) ||
        !soap_valid_socket(service.bind(arguments[1], std::stoi(arguments[2]), 1024))) {
        service.soap_stream_fault(std::cerr);
        return 1;
    }
    while (true) {
        if (!soap_valid_socket(service.accept())) continue;
        std::thread(serve, service.copy()).detach();
    }
}
