"""suds: steps.py says what it does."""

import pathlib
import urllib.request
import xml.etree.ElementTree

import steps
import suds
import suds.client
import suds.transport.http


def values(element):
    """An element as suds takes it: attributes by their names with an underscore before, and children; those of one name in a list."""
    found = {f"_{name}": value for name, value in element.attrib.items()}
    for child in element:
        found.setdefault(child.tag.rpartition("}")[2], []).append(values(child))
    return found


class Client:
    def __init__(self):
        # suds speaks over urllib, and urllib over http.client.
        self.send = steps.Wire().send

    @staticmethod
    def connect(ente, service):
        transport = suds.transport.http.HttpTransport(timeout=30)
        # Without this suds asks urllib for an opener that knows of no certificate; and no proxy of the machine's.
        tls = urllib.request.HTTPSHandler(context=steps.tls(ente))
        transport.urlopener = urllib.request.build_opener(urllib.request.ProxyHandler({}), tls)
        # No cache: suds would write to a temporary directory what nobody reads again.
        return suds.client.Client(steps.address(service), transport=transport, cache=None)

    @staticmethod
    def dichiarazione(_, file):
        return values(xml.etree.ElementTree.parse(file).getroot())

    @staticmethod
    def call(peer, operation, **arguments):
        try:
            return getattr(peer.service, operation)(**arguments)
        except suds.WebFault as raised:
            raise steps.Fault(raised.fault.faultcode, raised.fault.faultstring) from raised


steps.run(Client(), pathlib.Path(__file__).with_name("connect.py"))
