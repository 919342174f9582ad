"""Runs a Python handler against the Lambda Runtime API, as Lambda's python3.* runtimes do.

Started by the sandbox as `python3 bootstrap.py` with _HANDLER ("module.function", module may have
slashes or dots), LAMBDA_TASK_ROOT and AWS_LAMBDA_RUNTIME_API. One event at a time, one thread.
"""
import http.client
import importlib
import importlib.util
import io
import json
import logging
import os
import sys
import time
import traceback
import types

ROOT = os.environ["LAMBDA_TASK_ROOT"]
VERSION = "/2018-06-01/runtime"


class CognitoIdentity:
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self):
        self.cognito_identity_id = None
        self.cognito_identity_pool_id = None


class Client:
    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code",
                 "app_package_name")

    def __init__(self, fields):
        for name in self.__slots__:
            setattr(self, name, fields.get(name))


class ClientContext:
    __slots__ = ("custom", "env", "client")

    def __init__(self, fields):
        self.custom = fields.get("custom")
        self.env = fields.get("env")
        self.client = Client(fields.get("client") or {})


class LambdaContext:
    """What handlers get as `context`: the names that Lambda documents."""

    def __init__(self, invoke_id, client_context=None, cognito_identity=None,
                 epoch_deadline_time_in_ms=0, invoked_function_arn=None, tenant_id=None):
        self.aws_request_id = invoke_id
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = invoked_function_arn
        self.tenant_id = tenant_id
        self.client_context = ClientContext(client_context) if client_context else None
        self.identity = CognitoIdentity()
        self._deadline_ms = epoch_deadline_time_in_ms

    def get_remaining_time_in_millis(self):
        return max(0, int(self._deadline_ms - time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))


def provide_awslambdaric():
    """Some libraries import LambdaContext from the runtime's own package."""
    try:
        importlib.import_module("awslambdaric.lambda_context")
        return
    except ImportError:
        pass
    package = types.ModuleType("awslambdaric")
    package.__path__ = []
    module = types.ModuleType("awslambdaric.lambda_context")
    for thing in (LambdaContext, ClientContext, Client, CognitoIdentity):
        setattr(module, thing.__name__, thing)
    package.lambda_context = module
    sys.modules["awslambdaric"] = package
    sys.modules["awslambdaric.lambda_context"] = module


class EndpointFinder:
    """Makes botocore before 1.31, which does not know AWS_ENDPOINT_URL, use it all the same: its
    Session.create_client gets the address when the caller names none. Costs nothing until botocore
    is imported."""

    def find_spec(self, name, path=None, target=None):
        if name != "botocore.session":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            self.patch(module.Session)

        spec.loader.exec_module = exec_module
        return spec

    @staticmethod
    def patch(session):
        import botocore
        if tuple(int(n) for n in botocore.__version__.split(".")[:2]) >= (1, 31):
            return
        create = session.create_client

        def create_client(self, service_name, region_name=None, api_version=None, use_ssl=True,
                          verify=None, endpoint_url=None, *args, **kw):
            if endpoint_url is None:
                own = "AWS_ENDPOINT_URL_" + service_name.upper().replace("-", "_")
                endpoint_url = os.environ.get(own) or os.environ.get("AWS_ENDPOINT_URL")
            return create(self, service_name, region_name, api_version, use_ssl, verify,
                          endpoint_url, *args, **kw)

        session.create_client = create_client


class RuntimeApi:
    def __init__(self):
        host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
        self.http = http.client.HTTPConnection(host, int(port))

    def call(self, method, path, body=None, headers=None):
        self.http.request(method, VERSION + path, body, headers or {})
        reply = self.http.getresponse()
        return reply, reply.read()

    def next(self):
        reply, body = self.call("GET", "/invocation/next")
        if reply.status != 200:
            raise RuntimeError(f"the Runtime API answered {reply.status}")
        return reply.headers, body

    def post(self, path, body, error_type=None):
        headers = {"Content-Type": "application/json"}
        if error_type:
            headers["Lambda-Runtime-Function-Error-Type"] = error_type
        return self.call("POST", path, body, headers)[0].status


def error_document(error_type, message, request_id, stack=()):
    return {"errorMessage": message, "errorType": error_type, "requestId": request_id or "",
            "stackTrace": list(stack)}


def exception_document(error, request_id):
    """The document of a handler's exception; frames of this file are left out, as Lambda does."""
    frames = traceback.extract_tb(error.__traceback__)
    kept = [f for f in frames if f.filename != __file__ and "importlib" not in f.filename]
    return error_document(type(error).__name__, str(error), request_id,
                          traceback.format_list(kept))


def log_error(document):
    print(f"[ERROR] {document['errorType']}: {document['errorMessage']}")
    if document["stackTrace"]:
        print("Traceback (most recent call last):")
        print("".join(document["stackTrace"]), end="")
    sys.stdout.flush()


class LoadError(Exception):
    def __init__(self, error_type, message, stack=()):
        super().__init__(message)
        self.document = error_document(error_type, message, "", stack)


def load_handler(name):
    module_name, dot, function_name = name.rpartition(".")
    if not dot or not module_name or not function_name:
        raise LoadError("Runtime.MalformedHandlerName",
                        f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise LoadError("Runtime.ImportModuleError",
                        f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        where = f'  File "{error.filename}" Line {error.lineno}\n    {(error.text or "").rstrip()}\n'
        raise LoadError("Runtime.UserCodeSyntaxError",
                        f"Syntax error in module '{module_name}': {error}", [where]) from error
    handler = getattr(module, function_name, None)
    if handler is None:
        raise LoadError("Runtime.HandlerNotFound",
                        f"Handler '{function_name}' missing on module '{module_name}'")
    return handler


def encode(value):
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": ")).encode("utf-8",
                                                                                 "surrogatepass")


class RequestIdFilter(logging.Filter):
    request_id = ""

    def filter(self, record):
        record.aws_request_id = RequestIdFilter.request_id
        return True


def set_up_logging():
    """The root logger that functions find: WARNING, with Lambda's line format."""
    handler = logging.StreamHandler(sys.stdout)
    formatter = logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t"
                                  "%(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(RequestIdFilter())
    logging.getLogger().addHandler(handler)


def serve(api, handler):
    while True:
        headers, body = api.next()
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        RequestIdFilter.request_id = request_id
        trace = headers.get("Lambda-Runtime-Trace-Id")
        if trace:
            os.environ["_X_AMZN_TRACE_ID"] = trace
        else:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        error = None
        try:
            client = headers.get("Lambda-Runtime-Client-Context")
            context = LambdaContext(request_id, json.loads(client) if client else None, None,
                                    int(headers["Lambda-Runtime-Deadline-Ms"]),
                                    headers["Lambda-Runtime-Invoked-Function-Arn"])
            try:
                event = json.loads(body)
            except ValueError as bad:
                error = error_document("Runtime.UnmarshalError",
                                       f"Unable to unmarshal input: {bad}", request_id)
            if error is None:
                result = handler(event, context)
                try:
                    answer = encode(result)
                except (TypeError, ValueError) as bad:
                    error = error_document("Runtime.MarshalError",
                                           f"Unable to marshal response: {bad}", request_id)
        except SystemExit as leaving:
            sys.stdout.flush()
            os._exit(leaving.code if isinstance(leaving.code, int) else 1 if leaving.code else 0)
        except BaseException as raised:  # whatever a handler raises is its answer
            error = exception_document(raised, request_id)
        if error:
            log_error(error)
        sys.stdout.flush()
        sys.stderr.flush()
        if error:
            api.post(f"/invocation/{request_id}/error", encode(error), error["errorType"])
        else:
            api.post(f"/invocation/{request_id}/response", answer)


def main():
    layers = os.environ.get("LAMBDA_LAYERS_ROOT", "/opt")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    sys.path[0:1] = [ROOT, f"{layers}/python/lib/{version}/site-packages", f"{layers}/python"]
    sys.stdout = io.TextIOWrapper(sys.stdout.buffer, "utf-8", "backslashreplace",
                                  line_buffering=True)
    sys.argv = [""]
    provide_awslambdaric()
    sys.meta_path.insert(0, EndpointFinder())
    set_up_logging()
    api = RuntimeApi()
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except LoadError as error:
        log_error(error.document)
        api.post("/init/error", encode(error.document), error.document["errorType"])
        sys.exit(1)
    except Exception as error:  # raised by the module's own code
        document = exception_document(error, "")
        log_error(document)
        api.post("/init/error", encode(document), document["errorType"])
        sys.exit(1)
    serve(api, handler)


if __name__ == "__main__":
    main()
