// End-to-end tests share the kernel: one at a time, in this process.
const { default: JestRunner } = require('jest-runner');

module.exports = class SerialRunner extends JestRunner {
  isSerial = true;
};
