// An Appium driver without a device: the fake driver plus what a phone of a farm has on top (apps, files, logs, recording).
//
// Capabilities, all with the prefix `appium:`
//   udid             the phone; its apps and files outlive a session
//   app              path or http address of an XML app, or of a zip (.apk, .ipa) that holds `app.xml`; without it a login screen
//   farmFailCreate   message with which creating the session fails
//   farmCreateDelay  milliseconds that creating the session takes
//   farmDieAfter     the session dies in its n-th command, as when the automation server on the phone crashes
//   farmExitAfter    the whole Appium server ends in its n-th command, without an answer
//   farmVideo        path of the file that a screen recording returns
//
// An app is known by its file name without extension: `/builds/shop.apk` installs `shop`.
const {FakeDriver} = require('@appium/fake-driver');
const {fs, tempDir, zip} = require('appium/support');
const {setTimeout: sleep} = require('node:timers/promises');
const path = require('node:path');

const ABSENT = 0; // states of mobile: queryAppState
const INSTALLED = 1;
const RUNNING = 4;
const APP_EXTENSIONS = ['.apk', '.ipa', '.zip', '.xml'];
const phones = new Map(); // udid -> {apps: Map(id -> state), files: Map(path -> base64)}

const phoneOf = (udid) => {
  if (!phones.has(udid)) phones.set(udid, {apps: new Map(), files: new Map()});
  return phones.get(udid);
};
const appIdOf = (file) => path.basename(file, path.extname(file));
const onApp = (command) => ({command, params: {optional: ['appId', 'bundleId']}});

// Loads what the fake driver can read: the XML itself, the one inside a zip, or the built-in login screen.
async function screenOf(app) {
  if (app?.endsWith('.xml')) return app;
  let screen = require.resolve('./screen.xml');
  if (app) {
    const folder = await tempDir.openDir();
    await zip.readEntries(app, async ({entry, extractEntryTo}) => {
      if (entry.fileName !== 'app.xml') return true;
      await extractEntryTo(folder);
      screen = path.join(folder, 'app.xml');
      return false;
    });
  }
  return screen;
}

class FarmFakeDriver extends FakeDriver {
  static executeMethodMap = {
    ...FakeDriver.executeMethodMap,
    'mobile: installApp': {command: 'farmInstall', params: {optional: ['appPath', 'app']}},
    'mobile: isAppInstalled': onApp('farmIsInstalled'),
    'mobile: removeApp': onApp('farmRemove'),
    'mobile: activateApp': onApp('farmActivate'),
    'mobile: terminateApp': onApp('farmTerminate'),
    'mobile: queryAppState': onApp('farmAppState'),
    'mobile: pushFile': {command: 'farmPushFile', params: {required: ['remotePath', 'payload']}},
    'mobile: pullFile': {command: 'farmPullFile', params: {required: ['remotePath']}},
    'mobile: deviceInfo': {command: 'farmDeviceInfo'},
  };

  static newMethodMap = {
    ...FakeDriver.newMethodMap,
    '/session/:sessionId/appium/start_recording_screen': {
      POST: {command: 'farmStartRecording', payloadParams: {optional: ['options']}},
    },
    '/session/:sessionId/appium/stop_recording_screen': {
      POST: {command: 'farmStopRecording', payloadParams: {optional: ['options']}},
    },
  };

  desiredCapConstraints = {
    ...this.desiredCapConstraints,
    app: {isString: true},
    udid: {presence: true, isString: true},
    farmFailCreate: {isString: true},
    farmCreateDelay: {isNumber: true},
    farmDieAfter: {isNumber: true},
    farmExitAfter: {isNumber: true},
    farmVideo: {isString: true},
  };

  supportedLogTypes = {
    logcat: {description: 'Log of the phone', getter: () => this.logcat.splice(0)},
    actions: {description: 'Performed W3C actions', getter: () => this.appModel.actionLog},
  };
  logcat = [];
  commands = 0;
  recording = false;

  // The fake driver keeps its commands as fields of the instance: a method here would be shadowed by them.
  getLog = async (type) => {
    if (!(type in this.supportedLogTypes)) throw new Error(`Unsupported log type '${type}'`);
    return await this.supportedLogTypes[type].getter(this);
  };
  click = ((base) => async function (element) {
    this.note('INFO', `click ${element}`);
    return await base.call(this, element);
  })(this.click);

  note(level, message) {
    this.logcat.push({timestamp: Date.now(), level, message});
  }

  async createSession(jwp, required, w3c, data) {
    const caps = {...(w3c ?? jwp)?.alwaysMatch, ...(w3c ?? jwp)?.firstMatch?.[0]};
    if (caps['appium:farmCreateDelay']) await sleep(caps['appium:farmCreateDelay']);
    if (caps['appium:farmFailCreate']) throw new Error(caps['appium:farmFailCreate']);
    // Raises Appium's own errors for a missing file or an address that answers 404.
    const app = caps['appium:app'] && await this.helpers.configureApp(caps['appium:app'], {supportedExtensions: APP_EXTENSIONS});
    const screen = await screenOf(app);
    const load = this.appModel.loadApp.bind(this.appModel);
    this.appModel.loadApp = () => load(screen);
    const session = await super.createSession(jwp, required, w3c, data);
    this.phone = phoneOf(this.opts.udid);
    if (app) this.phone.apps.set(appIdOf(caps['appium:app']), RUNNING);
    this.note('INFO', `session ${this.sessionId} on ${this.opts.udid}`);
    return session;
  }

  async executeCommand(command, ...args) {
    if (this.sessionId && command !== 'deleteSession') {
      this.commands += 1;
      if (this.commands === this.opts.farmExitAfter) process.exit(1);
      if (this.commands === this.opts.farmDieAfter) {
        const death = new Error('The automation server on the phone crashed');
        await this.startUnexpectedShutdown(death);
        throw death;
      }
    }
    return await super.executeCommand(command, ...args);
  }

  async farmInstall(appPath, app) {
    const file = await this.helpers.configureApp(appPath ?? app, {supportedExtensions: APP_EXTENSIONS});
    this.note('INFO', `install ${file}`);
    this.phone.apps.set(appIdOf(appPath ?? app), INSTALLED);
  }
  async farmIsInstalled(appId, bundleId) {
    return this.phone.apps.has(appId ?? bundleId);
  }
  async farmRemove(appId, bundleId) {
    return this.phone.apps.delete(appId ?? bundleId);
  }
  async farmActivate(appId, bundleId) {
    const id = appId ?? bundleId;
    if (!this.phone.apps.has(id)) throw new Error(`The app '${id}' is not installed`);
    this.phone.apps.set(id, RUNNING);
  }
  async farmTerminate(appId, bundleId) {
    const id = appId ?? bundleId;
    if (this.phone.apps.get(id) !== RUNNING) return false;
    this.phone.apps.set(id, INSTALLED);
    return true;
  }
  async farmAppState(appId, bundleId) {
    return this.phone.apps.get(appId ?? bundleId) ?? ABSENT;
  }

  async farmPushFile(remotePath, payload) {
    this.phone.files.set(remotePath, payload);
  }
  async farmPullFile(remotePath) {
    if (!this.phone.files.has(remotePath)) throw new Error(`No file '${remotePath}' on the phone`);
    return this.phone.files.get(remotePath);
  }
  async farmDeviceInfo() {
    return {udid: this.opts.udid, platformName: this.opts.platformName, realDisplaySize: '400x852', apiVersion: '34'};
  }

  async farmStartRecording() {
    this.recording = true;
    return '';
  }
  async farmStopRecording() {
    if (!this.recording) return '';
    this.recording = false;
    return this.opts.farmVideo ? await fs.readFile(this.opts.farmVideo, 'base64') : '';
  }
}

module.exports = {FarmFakeDriver, default: FarmFakeDriver};
