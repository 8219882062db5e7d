"""Sends what botocore signed to the endpoint, whatever its host is, and calls the endpoint's IAM."""

import http.client
import json
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from values import ACCOUNT

TRUST = json.dumps({
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"},
})


class Wire:
    """One connection, which is kept."""

    def __init__(self, url):
        self.address = urllib.parse.urlsplit(url).netloc
        self.connection = http.client.HTTPConnection(self.address)

    def send(self, request):
        """A botocore request; its `Host` is its URL's, as it was signed."""
        url = urllib.parse.urlsplit(request.url)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        headers = {name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()}
        headers.setdefault("Host", url.netloc)
        body = request.body
        if hasattr(body, "read"):
            body = body.read()
        status, answer, content = self.exchange(request.method, path, body, headers)
        return AWSResponse(request.url, status, answer, Raw(content))

    def exchange(self, method, path, body, headers):
        for attempt in range(2):
            try:
                chunked = "chunked" in headers.get("Transfer-Encoding", "")
                self.connection.request(method, path, [body] if chunked else body, headers, encode_chunked=chunked)
                response = self.connection.getresponse()
                return response.status, headers_of(response), response.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.connection.close()
                if attempt:
                    raise


def headers_of(response):
    headers = HTTPHeaders()
    for name, value in response.getheaders():
        headers.add_header(name, value)
    return headers


class Raw:
    def __init__(self, content):
        self.content = content

    def stream(self, **_):
        yield self.content

    def read(self, *_, **__):
        content, self.content = self.content, b""
        return content


class Refused(Exception):
    """The endpoint's IAM does not do what it is asked to."""


class Iam:
    """The administrator's hand: roles and users, and the one policy of each."""

    def __init__(self, wire, key, secret):
        self.wire, self.signer = wire, lambda service: SigV4Auth(Credentials(key, secret), service, "us-east-1")

    def call(self, service, action, **parameters):
        body = urllib.parse.urlencode({"Action": action, **parameters})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        request = AWSRequest("POST", f"http://{self.wire.address}/", headers, body)
        self.signer(service).add_auth(request)
        response = self.wire.send(request.prepare())
        if response.status_code != 200:
            raise Refused(f"{action} of {parameters}: {response.content.decode()}")
        return response.content.decode()

    def role(self, name):
        """Makes a role, and gives the credentials of a session of it."""
        self.call("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=TRUST)
        arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        answer = self.call("sts", "AssumeRole", RoleArn=arn, RoleSessionName="session")
        return Credentials(*(between(answer, name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")))

    def user(self, name):
        """Makes a user, and gives the credentials of an access key of its own."""
        self.call("iam", "CreateUser", UserName=name)
        answer = self.call("iam", "CreateAccessKey", UserName=name)
        return Credentials(between(answer, "AccessKeyId"), between(answer, "SecretAccessKey"))

    def allow(self, kind, name, pairs):
        """Gives a `Role` or a `User` its policy."""
        statements = [{"Effect": "Allow", "Action": a, "Resource": escaped(r)} for a, r in pairs]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.call("iam", f"Put{kind}Policy", **{f"{kind}Name": name}, PolicyName="exactly", PolicyDocument=document)


def between(answer, name):
    return answer.partition(f"<{name}>")[2].partition("<")[0]


def escaped(resource):
    """As a policy names it; AWS says `policy path /` of what only `*` allows."""
    return resource.replace("${", "${$}{") if resource.startswith("arn:") else "*"
