use std::env;
use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A third party's emulator, installed from `PyPI` below the target folder and started on a free port.
pub struct Emulator {
    process: Child,
    port: u16,
    keys: Option<(String, String)>,
}

/// The versions that the tests were written against.
const PACKAGES: [&str; 2] = ["ministack==1.5.33", "moto[server]==5.2.5"];

impl Emulator {
    /// ministack; enforcing if `auth` is set.
    ///
    /// `None` where Python is not at hand, with the reason printed; in CI that is a failure.
    #[must_use]
    pub fn ministack(auth: bool) -> Option<Emulator> {
        let port = free_port();
        let auth = if auth { "true" } else { "false" };
        Emulator::start("ministack", &[], &[("AUTH", auth), ("GATEWAY_PORT", &port.to_string())], port)
    }

    /// `moto_server`, which does not enforce until [`enforce`](Self::enforce).
    #[must_use]
    pub fn moto() -> Option<Emulator> {
        let port = free_port();
        Emulator::start("moto_server", &["-p", &port.to_string()], &[], port)
    }

    /// Makes an administrator and turns moto's enforcement on.
    ///
    /// # Panics
    ///
    /// When moto refuses.
    pub fn enforce(&mut self) {
        let script = r#"
import boto3, json, sys, urllib.request
url = sys.argv[1]
iam = boto3.client("iam", endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
iam.create_user(UserName="administrator")
everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
iam.put_user_policy(UserName="administrator", PolicyName="everything", PolicyDocument=json.dumps(everything))
key = iam.create_access_key(UserName="administrator")["AccessKey"]
reset = urllib.request.Request(url + "/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"})
urllib.request.urlopen(reset).read()
print(key["AccessKeyId"], key["SecretAccessKey"])
"#;
        let output =
            Command::new(environment().join("bin/python")).args(["-c", script, &self.url()]).output();
        let output = output.expect("python runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout);
        let (id, secret) = text.trim().split_once(' ').expect("the script prints the key");
        self.keys = Some((id.to_owned(), secret.to_owned()));
    }

    /// Stops the process without closing its connections.
    ///
    /// # Panics
    ///
    /// When `kill` does not run.
    pub fn stop_answering(&self) {
        let status = Command::new("kill").args(["-s", "STOP", &self.process.id().to_string()]).status();
        assert!(status.expect("`kill` runs").success());
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The id and the secret of its administrator's key.
    #[must_use]
    pub fn keys(&self) -> (String, String) {
        self.keys.clone().unwrap_or_else(|| ("test".to_owned(), "test".to_owned()))
    }

    /// The variables with which a run uses it.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        let (id, secret) = self.keys();
        [("IAM_FIXTURE_BACKEND", self.url()), ("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    fn start(program: &str, arguments: &[&str], variables: &[(&str, &str)], port: u16) -> Option<Emulator> {
        if let Err(reason) = install() {
            assert!(env::var_os("CI").is_none(), "{program} cannot be installed: {reason}");
            eprintln!("skipped: {program} cannot be installed: {reason}");
            return None;
        }
        let log = File::create(environment().join(format!("{program}-{port}.log"))).expect("a log file");
        let mut process = Command::new(environment().join("bin").join(program))
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .spawn()
            .expect("what was installed starts");
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = process.try_wait().expect("the emulator is ours");
            assert!(ended.is_none() && start.elapsed() < Duration::from_mins(1), "{program} does not start");
            sleep(Duration::from_millis(50));
        }
        Some(Emulator { process, port, keys: None })
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Installs the emulators once; tests in other processes wait at the lock.
fn install() -> Result<(), String> {
    let environment = environment();
    let done = environment.join(PACKAGES.join(" ").replace(['[', ']'], "."));
    fs::create_dir_all(&environment).map_err(|error| error.to_string())?;
    let lock = File::create(environment.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if done.exists() {
        return Ok(());
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    run(Command::new(environment.join("bin/pip")).args(["install", "--quiet"]).args(PACKAGES))?;
    File::create(done).map(|_| ()).map_err(|error| error.to_string())
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The virtual environment in the target folder: test binaries are two folders below it.
#[must_use]
pub fn environment() -> PathBuf {
    let binary = env::current_exe().expect("the test binary has a path");
    let target = binary.ancestors().nth(3).expect("cargo builds into folders");
    target.join("emulators")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port is free");
    listener.local_addr().expect("it is bound").port()
}
