//! `cargo iam serve`: the embedded endpoint on a port.

mod entry;
mod journal;
mod role;
mod signals;

use std::io::{self, Write as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fmt};

use iam_endpoint::{Credentials, Endpoint, EndpointBuilder, Server, Upstream};
use iam_services::Services;

pub(crate) use self::entry::lines;
use self::journal::Journal;
use self::signals::Stop;
use crate::failure::Failure;
use crate::format::Format;
use crate::{paint, request};

/// Serve an AWS endpoint that enforces IAM policies
///
/// It is one account in memory, for any language and tool. Standard output tells, as `export NAME=value` lines for a
/// shell, where it is and the access key of an administrator; when the line `ready` stands there, it answers. Each call
/// goes to standard error with what was decided and by which statement. Ctrl-C or SIGTERM ends it: calls that have begun
/// have five seconds to end.
///
/// Each `--policy FILE` makes a role of the file's name, which any principal of the account may assume.
#[derive(clap::Args)]
#[command(after_help = "\
A role's credentials come from AssumeRole. AWS's tools call it by themselves for a profile in ~/.aws/config, here of
`--policy reader.json`; with the exports in the environment, `aws --profile reader s3 ls` calls as that role:
  [profile reader]
  role_arn = arn:aws:iam::123456789012:role/reader
  credential_source = Environment
The AWS CLI keeps a role's credentials in ~/.aws/cli/cache for an hour; those of an endpoint that has ended are invalid.

Exit status: 0 after Ctrl-C or SIGTERM, 2 if nothing can be served.

Examples:
  cargo iam serve --addr 127.0.0.1:4566
  cargo iam serve --policy reader.json > exports &  until grep -q ready exports; do sleep 0.01; done
  source <(grep ^export exports);  export AWS_DEFAULT_REGION=$AWS_REGION   # the CLI and boto3 read this one
  aws s3 mb s3://reports
  cargo iam serve --upstream http://127.0.0.1:4566 --quiet --log calls.jsonl")]
pub(crate) struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    addr: String,

    /// Listen where other machines can reach it too, if `--addr` says so
    #[arg(long)]
    allow_remote: bool,

    /// The account's twelve digits
    #[arg(long, value_name = "ACCOUNT", default_value = "123456789012", value_parser = request::account)]
    account: String,

    /// The region
    #[arg(long, value_name = "REGION", default_value = "us-east-1", value_parser = region)]
    region: String,

    /// Start with a role of this policy, named as the file is; may be repeated
    #[arg(long, value_name = "FILE")]
    policy: Vec<String>,

    /// Where allowed calls go that the endpoint does not perform itself: moto, ministack, `LocalStack`, … They are signed with
    /// the account id and `test` for keys, or those that the URL names: `http://KEY:SECRET@127.0.0.1:9000`
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,

    /// S3 goes upstream too, as to `MinIO`, large objects as streams; bucket policies are unknown then
    #[arg(long, requires = "upstream")]
    upstream_s3: bool,

    /// How calls are written to standard error: for people, or a JSON object in a line each
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,

    /// Write calls to this file too, a JSON object in a line each
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,

    /// Write no calls to standard error
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let cannot_wait = |error| Failure::Server("cannot wait for signals".to_owned(), error);
    let mut stop = Stop::new().map_err(cannot_wait)?;
    let journal = Journal::open(args)?;
    let endpoint = args.endpoint()?.observe(journal.observer()).build();
    let roles = role::make(&endpoint, stop.runtime(), &args.policy)?;
    let server = args.serve(&endpoint)?;
    let live = journal.begin();
    write_exports(&endpoint, &server).map_err(Failure::Output)?;
    if !args.quiet && matches!(args.format, Format::Human) {
        greet(&endpoint, &server, &roles);
    }
    stop.wait();
    // A second signal does not wait for the calls that have begun.
    stop.wait_or(move || drop(server));
    drop(endpoint);
    live.end();
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn endpoint(&self) -> Result<EndpointBuilder, Failure> {
        let builder = Endpoint::builder().account(&*self.account).region(&*self.region);
        // An emulator keeps whole services: what it is asked for must not be half here.
        let Some(url) = &self.upstream else {
            let advice = |_: &str| "`--upstream URL` sends it to an emulator".to_owned();
            return Ok(builder.perform(Services::new()).advise(advice));
        };
        let upstream =
            Upstream::new(url).map_err(|error| Failure::Usage(format!("`--upstream`: {error}")))?;
        Ok(builder.perform(if self.upstream_s3 { upstream.with_s3() } else { upstream }))
    }

    fn serve(&self, endpoint: &Endpoint) -> Result<Server, Failure> {
        let cannot = |error| Failure::Server(format!("cannot serve at `{}`", self.addr), error);
        let mut addresses = self.addr.to_socket_addrs().map_err(cannot)?;
        let none = || cannot(io::Error::other("the host has no address"));
        let address = addresses.next().ok_or_else(none)?;
        if self.allow_remote {
            return endpoint.serve_beyond_loopback(address).map_err(cannot);
        }
        if !address.ip().is_loopback() {
            return Err(Failure::Usage(format!(
                "`--addr {}` can be reached from other machines, and who reaches it is answered; `--allow-remote` serves \
                 there",
                self.addr
            )));
        }
        endpoint.serve(address).map_err(cannot)
    }
}

/// What a shell of the user's takes over; nothing else goes to standard output.
fn write_exports(endpoint: &Endpoint, server: &Server) -> io::Result<()> {
    let Credentials { access_key_id, secret_access_key, .. } = endpoint.administrator();
    let mut stdout = io::stdout().lock();
    for (name, value) in [
        ("AWS_ENDPOINT_URL", &*url(server)),
        ("AWS_ACCESS_KEY_ID", &access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &secret_access_key),
        ("AWS_REGION", endpoint.region()),
    ] {
        writeln!(stdout, "export {name}={value}")?;
    }
    writeln!(stdout, "ready")?;
    stdout.flush()
}

/// A URL that a client on this machine can use.
fn url(server: &Server) -> String {
    let address = server.address();
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => format!("http://127.0.0.1:{}", v4.port()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => format!("http://[::1]:{}", v6.port()),
        _ => server.url(),
    }
}

fn greet(endpoint: &Endpoint, server: &Server, roles: &[String]) {
    let (account, region) = (endpoint.account_id(), endpoint.region());
    note(format_args!("serving account {account} in {region} at {}; Ctrl-C ends it", url(server)));
    for arn in roles {
        note(format_args!("role {arn}"));
    }
    // They would be used with the key that is exported, or in its place.
    for name in ["AWS_SESSION_TOKEN", "AWS_PROFILE"] {
        if env::var_os(name).is_some() {
            note(format_args!("{name} is set here; a shell that takes the exports over has to unset it"));
        }
    }
}

/// Tells the user something beside the journal.
fn note(message: fmt::Arguments<'_>) {
    // A terminal that is gone need not be told.
    let _ = writeln!(anstream::stderr(), "{}", paint::report(&format!("note: {message}")));
}

fn region(text: &str) -> Result<String, String> {
    let is_of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !text.is_empty() && text.bytes().all(is_of_name) {
        return Ok(text.to_owned());
    }
    Err("a region is a name such as `us-east-1`".to_owned())
}
