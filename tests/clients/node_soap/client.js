// node-soap: steps.js says what it does.
'use strict';

const https = require('https');
const path = require('path');
const soap = require('soap');
const steps = require('../common/steps');

const library = {
  attributesKey: 'attributes',

  async client({ ca, cert, key }, address) {
    const client = await soap.createClientAsync(address, {
      // Neither here nor below a proxy of the machine's.
      wsdl_options: { httpsAgent: new https.Agent({ ca, cert, key }), proxy: false },
      // The binding does not say it to node-soap.
      forceSoap12Headers: steps.soap12,
    });
    client.setSecurity(new soap.ClientSSLSecurity(key, cert, ca, { proxy: false }));
    return client;
  },
};

steps.run(library, path.join(__dirname, 'connect.js'));
