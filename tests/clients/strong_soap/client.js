// strong-soap: steps.js says what it does.
'use strict';

const path = require('path');
const { promisify } = require('util');
const { soap } = require('strong-soap');
const steps = require('../common/steps');

const library = {
  attributesKey: '$attributes',

  async client({ ca, cert, key }, address) {
    const client = await promisify(soap.createClient)(address, {
      // Neither here nor below a proxy of the machine's.
      wsdl_options: { ca, cert, key, proxy: null },
      // Else there is one for the whole process, and no other ente would fetch anything.
      WSDL_CACHE: {},
      // Else there is a Z after every date.
      date: { timezone: { enabled: false } },
    });
    client.setSecurity(new soap.ClientSSLSecurity(key, cert, ca, { proxy: null }));
    return client;
  },
};

steps.run(library, path.join(__dirname, 'connect.js'));
