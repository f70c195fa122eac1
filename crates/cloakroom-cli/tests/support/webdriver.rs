//! A headless Chromium driven through chromedriver by the WebDriver protocol, of which the tests
//! need a few commands. Everything of it ends with the value.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// Names the browser; the default is `chromium` from the path.
const BROWSER: &str = "CLOAKROOM_TEST_CHROMIUM";

/// Names its driver; the default is `chromedriver` from the path.
const DRIVER: &str = "CLOAKROOM_TEST_CHROMEDRIVER";

/// Names the folder that pictures are kept in; without it none is.
const PICTURES: &str = "CLOAKROOM_TEST_SCREENSHOTS";

pub const TAB: &str = "\u{e004}";
pub const ENTER: &str = "\u{e007}";
pub const ESCAPE: &str = "\u{e00c}";

/// How long a page may take to show what a test expects.
const PATIENCE: Duration = Duration::from_secs(20);

/// Notes in a page that it is about to be left: a link was followed or a form was sent.
const WATCH: &str = "
    if (window.isLeft === undefined) {
        window.isLeft = false;
        addEventListener('submit', (event) => { window.isLeft ||= !event.defaultPrevented; });
        addEventListener('click', (event) => {
            const link = event.target.closest('a[href]');
            const leads = link && link.href.split('#')[0] !== location.href.split('#')[0];
            window.isLeft ||= Boolean(leads) && !event.defaultPrevented;
        });
    }";

/// Whether the page that [`WATCH`] saw left is gone and the next one is there.
const ARRIVED: &str = "return window.isLeft !== true && document.readyState === 'complete'";

pub struct Browser {
    // The driver's death is the browser's death: it starts it with that condition.
    driver: Child,
    port: u16,
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser with a profile of its own.
    pub async fn start() -> Self {
        let program = std::env::var(DRIVER).unwrap_or_else(|_| "chromedriver".to_owned());
        let browser = std::env::var(BROWSER).unwrap_or_else(|_| "chromium".to_owned());
        let browser = find(&browser).unwrap_or_else(|| missing(&browser, BROWSER));
        let (driver, port) = drive(&program).await;
        let profile = TempDir::new().unwrap();
        let mut this = Self { driver, port, session: String::new(), _profile: profile };
        let folder = format!("--user-data-dir={}", this._profile.path().display());
        let mut arguments = vec![
            "--headless=new",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &folder,
        ];
        if is_root() {
            // Chromium refuses its sandbox to root.
            arguments.push("--no-sandbox");
        }
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "binary": browser, "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        }}});
        let session = this.call("POST", "/session", Some(wanted)).await;
        this.session = session["sessionId"].as_str().unwrap().to_owned();
        this
    }

    pub async fn open(&self, url: &str) {
        self.ask("POST", "/url", json!({ "url": url })).await;
    }

    /// Makes the pages as narrow as a telephone shows them.
    pub async fn narrow(&self) {
        let metrics =
            json!({ "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics });
        self.ask("POST", "/goog/cdp/execute", command).await;
    }

    /// Makes the window as large as a desk's.
    pub async fn wide(&self, width: u32, height: u32) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics });
        self.ask("POST", "/goog/cdp/execute", command).await;
    }

    /// Asks pages for the colours of the day (`light`) or of the night (`dark`).
    pub async fn prefer(&self, scheme: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        let params = json!({ "features": [feature] });
        let command = json!({ "cmd": "Emulation.setEmulatedMedia", "params": params });
        self.ask("POST", "/goog/cdp/execute", command).await;
    }

    /// Lets pages run no script from now on; the driver's own still run.
    pub async fn without_scripts(&self) {
        let params = json!({ "value": true });
        let command = json!({ "cmd": "Emulation.setScriptExecutionDisabled", "params": params });
        self.ask("POST", "/goog/cdp/execute", command).await;
    }

    /// Takes a picture of what the window shows, and keeps it if the environment names a folder.
    pub async fn picture(&self, name: &str) {
        let path = format!("/session/{}/screenshot", self.session);
        let picture = decode(self.call("GET", &path, None).await.as_str().unwrap());
        assert!(picture.starts_with(b"\x89PNG") && picture.len() > 5000, "{name}");
        if let Some(folder) = std::env::var_os(PICTURES) {
            // Tests run in their crate's folder, people type in the repository's.
            let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
            std::fs::write(root.join(folder).join(format!("{name}.png")), picture).unwrap();
        }
    }

    /// Presses keys one after the other, wherever the focus is: letters, or WebDriver's code points
    /// for others. Where they lead to another page, it is there afterwards.
    pub async fn press(&self, keys: &str) {
        let strokes = keys.chars().flat_map(|key| {
            ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
        });
        let keyboard =
            json!({ "type": "key", "id": "keyboard", "actions": strokes.collect::<Vec<_>>() });
        self.script(WATCH).await;
        self.ask("POST", "/actions", json!({ "actions": [keyboard] })).await;
        self.arrive().await;
    }

    /// Presses Tab until the focus is on an element.
    pub async fn tab_to(&self, selector: &str) {
        let is_there = format!("return document.activeElement.matches({selector:?})");
        for _ in 0..60 {
            if self.script(&is_there).await == true {
                return;
            }
            self.press(TAB).await;
        }
        panic!("no Tab leads to {selector}");
    }

    /// Presses Tab until the focus has been everywhere on this page: it comes to whatever can be used,
    /// and shows where it is.
    pub async fn tab_through(&self, page: &str) {
        let wanted = "return [...document.querySelectorAll('a, button, input:not([type=hidden]), select')]\
                      .filter((it) => it.checkVisibility() && !it.disabled)\
                      .map((it, at) => (it.dataset.stop = at, at)).length";
        let wanted = self.script(wanted).await.as_u64().unwrap();
        let mut reached = HashSet::new();
        for _ in 0..wanted * 2 + 12 {
            self.press(TAB).await;
            let focus = "const it = document.activeElement; if (it === document.body) return null; \
                         return [it.dataset.stop ?? 'region', getComputedStyle(it).outlineStyle]";
            let focus = self.script(focus).await;
            if focus.is_null() {
                continue;
            }
            assert_ne!(focus[1], "none", "{page}: {focus}");
            reached.insert(focus[0].to_string());
        }
        reached.remove("\"region\"");
        assert_eq!(reached.len() as u64, wanted, "{page}: {reached:?}");
    }

    /// Runs a script in the page and answers what it returns.
    pub async fn script(&self, script: &str) -> Value {
        self.ask("POST", "/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// Clicks on an element as a person would: it must be visible and in nobody's shadow. Where it
    /// leads to another page, it is there afterwards; the driver alone does not wait for that.
    pub async fn click(&self, selector: &str) {
        let path = format!("/element/{}/click", self.element(selector).await);
        self.script(WATCH).await;
        self.ask("POST", &path, json!({})).await;
        self.arrive().await;
    }

    /// Types into an element.
    pub async fn write(&self, selector: &str, text: &str) {
        let path = format!("/element/{}/value", self.element(selector).await);
        self.ask("POST", &path, json!({ "text": text })).await;
    }

    /// The visible text of an element; waits for it to be as expected.
    pub async fn shows(&self, selector: &str, expected: &str) {
        let script = format!("return document.querySelector({selector:?})?.innerText ?? null");
        let start = Instant::now();
        loop {
            let text = self.script(&script).await;
            if text.as_str().is_some_and(|text| text.contains(expected)) {
                return;
            }
            let page = "return `${location.href} (${document.body.innerText.slice(0, 500)})`";
            let page = self.script(page).await;
            let waited = start.elapsed();
            assert!(waited < PATIENCE, "{selector} at {page} shows {text}, not {expected:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the browser's console has said since the last time this was asked.
    pub async fn console(&self) -> Vec<String> {
        let log = self.ask("POST", "/se/log", json!({ "type": "browser" })).await;
        let entries = log.as_array().unwrap().iter();
        entries.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Ends the browser in good order.
    pub async fn quit(mut self) {
        self.call("DELETE", &format!("/session/{}", self.session), None).await;
        self.driver.kill().await.unwrap();
    }

    async fn arrive(&self) {
        let start = Instant::now();
        while self.script(ARRIVED).await != true {
            assert!(start.elapsed() < PATIENCE, "a page was left, and no other came");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn element(&self, selector: &str) -> String {
        let using = json!({ "using": "css selector", "value": selector });
        let found = self.ask("POST", "/element", using).await;
        let reference = found.as_object().and_then(|found| found.values().next());
        reference.unwrap().as_str().unwrap().to_owned()
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        self.call(method, &format!("/session/{}{path}", self.session), Some(body)).await
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\
             Content-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
            self.port,
            body.len()
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all((head + &body).as_bytes()).await.unwrap();
        let body = tokio::time::timeout(PATIENCE, body_of(&mut BufReader::new(stream)))
            .await
            .unwrap_or_else(|_| panic!("{method} {path}: no answer within {PATIENCE:?}"));
        let mut answer: Value = serde_json::from_slice(&body).unwrap();
        let value = answer["value"].take();
        assert!(value.get("error").is_none(), "{method} {path}: {}", value["message"]);
        value
    }
}

/// Base64, as WebDriver sends pictures.
fn decode(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes().filter(|it| *it != b'=') {
        let value = alphabet.iter().position(|it| *it == letter).unwrap() as u32;
        bits = (bits << 6) | value;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 255) as u8);
        }
    }
    bytes
}

/// The body of an answer; the driver keeps the connection open behind it.
async fn body_of(stream: &mut BufReader<TcpStream>) -> Vec<u8> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        match line.trim_end().to_ascii_lowercase().strip_prefix("content-length:") {
            Some(value) => length = value.trim().parse().unwrap(),
            None if line.trim_end().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    body
}

/// Starts the driver on a port that it finds itself. It looks for one that is free for both versions
/// of the internet protocol, and ends if somebody else takes it in between.
async fn drive(program: &str) -> (Child, u16) {
    for _ in 0..5 {
        let mut command = Command::new(program);
        command.arg("--port=0").kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().unwrap_or_else(|_| missing(program, DRIVER));
        if let Some(port) = port(&mut driver).await {
            return (driver, port);
        }
    }
    panic!("chromedriver ended before it told its port");
}

/// Waits until the driver has told its port.
async fn port(driver: &mut Child) -> Option<u16> {
    let mut output = BufReader::new(driver.stdout.take()?).lines();
    while let Some(line) = output.next_line().await.unwrap() {
        if let Some((_, port)) = line.split_once("successfully on port ") {
            return port.trim_end_matches('.').parse().ok();
        }
    }
    None
}

/// The whole path of a program, which chromedriver wants.
fn find(program: &str) -> Option<String> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let candidates = std::env::split_paths(&folders).map(|folder| folder.join(program));
    let found = candidates.into_iter().find(|path| path.is_file())?;
    Some(found.to_str()?.to_owned())
}

fn missing(program: &str, variable: &str) -> ! {
    panic!(
        "`{program}` is missing, which this test needs: install chromium and chromedriver \
         (scripts/test does), or name the program with {variable}"
    );
}

fn is_root() -> bool {
    let id = std::process::Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}
