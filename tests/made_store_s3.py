"""An S3 store on loopback (moto), which can be told to fail or to be slow."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from dataclasses import dataclass, field

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass
class Bucket:
    """A bucket, and what shall go wrong with it.

    `faults` maps (method, end of the path) to a list of what happens to the next requests: an HTTP
    status, or seconds to wait. A list is used up; a single value lasts.
    """

    name: str
    endpoint: str
    faults: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def __post_init__(self):
        self._lock = threading.Lock()

    def url(self, key=""):
        return f"s3://{self.name}/{key}"

    def fault(self, method, path):
        with self._lock:
            self.asked.append((method, path))
            for (wanted, end), plan in self.faults.items():
                if method == wanted and path.endswith(end):
                    if not isinstance(plan, list):
                        return plan
                    return plan.pop(0) if plan else None
        return None

    @property
    def system(self):
        import s3fs

        return s3fs.S3FileSystem(endpoint_url=self.endpoint, key="test", secret="test")  # noqa: S106

    def fill(self, contents, prefix="photos"):
        self.system.pipe({f"{self.name}/{prefix}/{k}": v.encode() for k, v in contents.items()})

    def names(self, prefix):
        system = self.system
        system.invalidate_cache()
        return sorted(key.rpartition("/")[2] for key in system.find(f"{self.name}/{prefix}"))


@contextlib.contextmanager
def running_store():
    """Yield a function that makes a new, empty bucket."""
    import s3fs
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    # Drivers are kept, and those of an earlier store would go on asking its port.
    s3fs.S3FileSystem.clear_instance_cache()
    buckets = {}
    moto = DomainDispatcherApplication(create_backend_app)

    def application(environ, start_response):
        path = environ["PATH_INFO"]
        bucket = buckets.get(path.strip("/").partition("/")[0])
        fault = bucket.fault(environ["REQUEST_METHOD"], path) if bucket else None
        if isinstance(fault, int):
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response(f"{fault} Fault", [("Content-Length", "0")])
            return [b""]
        if fault:
            time.sleep(fault)
        return moto(environ, start_response)

    class Quiet(WSGIRequestHandler):
        def log(self, *_args):
            pass

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def new():
        bucket = Bucket(f"bucket-{uuid.uuid4().hex[:12]}", f"http://127.0.0.1:{server.server_port}")
        bucket.system.mkdir(bucket.name)
        buckets[bucket.name] = bucket
        return bucket

    try:
        yield new
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
