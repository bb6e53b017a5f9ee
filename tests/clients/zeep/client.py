"""zeep, strict: steps.py says what it does."""

import pathlib

import requests
import steps
import zeep
import zeep.exceptions
from lxml import etree


def session(ente):
    found = requests.Session()
    # Neither proxies nor authorities of the machine's.
    found.trust_env = False
    found.cert = steps.pem(ente)
    found.verify = str(steps.PKI / "ca.pem")
    return found


class Client:
    def __init__(self):
        self.kept = {}

    @staticmethod
    def connect(ente, service):
        transport = zeep.Transport(session=session(ente), timeout=30, operation_timeout=30)
        return zeep.Client(
            steps.address(service),
            # With SOAP 1.2 the second port; else the first one, which zeep takes by itself.
            port_name=f"Soap12_ISvc{service.removesuffix('ISEE')}" if steps.SOAP12 else None,
            transport=transport,
            settings=zeep.Settings(strict=True),
        )

    @staticmethod
    def dichiarazione(peer, file):
        """What zeep reads by the types of the schema: objects, dates, numbers. What it sends is made of these again."""
        element = peer.get_element("{http://inps.it/ISEERiforma}Dichiarazione")
        return element.parse(etree.parse(file).getroot(), peer.wsdl.types)

    @staticmethod
    def call(peer, operation, **arguments):
        try:
            return peer.service[operation](**arguments)
        except zeep.exceptions.Fault as fault:
            raise steps.Fault(fault.code, fault.message) from fault

    def send(self, case, body):
        """By requests, over which zeep speaks; but requests cannot wait for 100 Continue, and http.client below it can be made to."""
        if case["transfer"] == "expect":
            return steps.Wire().send(case, body)
        if case["connection"] == "close":
            stack = session(case["ente"])
        else:
            stack = self.kept.setdefault(case["ente"], session(case["ente"]))
        data = steps.pieces(body) if case["transfer"] == "chunked" else body
        response = stack.post(steps.URL + case["path"], data=data, headers=steps.headers(case), timeout=30)
        return response.status_code, response.content


steps.run(Client(), pathlib.Path(__file__).with_name("connect.py"))
