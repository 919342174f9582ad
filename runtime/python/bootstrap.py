"""Runs a Python handler against the Lambda Runtime API, as Lambda's python3.* runtimes do.

Started by the sandbox as `python3 bootstrap.py` with _HANDLER ("module.function", module may have
slashes or dots), LAMBDA_TASK_ROOT and AWS_LAMBDA_RUNTIME_API. One event at a time, one thread.
"""
import decimal
import http.client
import importlib
import importlib.machinery
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
LOG_JSON = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"


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
        if cognito_identity:
            self.identity.cognito_identity_id = cognito_identity.get("cognitoIdentityId")
            self.identity.cognito_identity_pool_id = cognito_identity.get("cognitoIdentityPoolId")
        self._deadline_ms = epoch_deadline_time_in_ms

    def get_remaining_time_in_millis(self):
        return max(0, int(self._deadline_ms - time.time() * 1000))

    def log(self, message):
        write_record(str(message))

    def __repr__(self):
        fields = ("aws_request_id", "log_group_name", "log_stream_name", "function_name",
                  "memory_limit_in_mb", "function_version", "invoked_function_arn",
                  "client_context", "identity", "tenant_id")
        return f"LambdaContext([{','.join(f'{n}={getattr(self, n)}' for n in fields)}])"


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


class SdkFinder:
    """boto3 for an interpreter that is not the system's: Debian's, which is plain Python, when the
    function brings none."""
    FOLDER = "/usr/lib/python3/dist-packages"
    NAMES = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six",
             "requests", "certifi", "idna", "chardet", "charset_normalizer"}  # Debian's needs these

    def find_spec(self, name, path=None, target=None):
        if name in self.NAMES:
            return importlib.machinery.PathFinder.find_spec(name, [self.FOLDER])
        return None


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

    def post(self, path, body, error_type=None, content_type="application/json"):
        headers = {"Content-Type": content_type}
        if error_type:
            headers["Lambda-Runtime-Function-Error-Type"] = error_type
        return self.call("POST", path, body, headers)[0].status


def error_document(error_type, message, request_id, stack=()):
    return {"errorMessage": message, "errorType": error_type, "requestId": request_id or "",
            "stackTrace": list(stack)}


def exception_document(error, request_id):
    """The document of a handler's exception, from its first frame that is not of this file."""
    frames = traceback.extract_tb(error.__traceback__)
    for at, frame in enumerate(frames):
        if frame.filename != __file__:
            frames = frames[at:]
            break
    return error_document(type(error).__name__, str(error), request_id,
                          traceback.format_list(frames))


def write_record(text, level=logging.NOTSET, kind=3):
    """One record, whatever lines it has, is one log event: a frame on the pipe that prints go to. Its
    head is that of AWS's runtime clients: a mark with format and level, the length, microseconds."""
    body = text.encode("utf-8", "backslashreplace")
    mark = 0xA55A0000 | kind | ({10: 2, 20: 3, 30: 4, 40: 5, 50: 6}.get(level, 0) << 2)
    data = (mark.to_bytes(4, "big") + len(body).to_bytes(4, "big") +
            (time.time_ns() // 1000).to_bytes(8, "big") + body)
    sys.stdout.flush()
    while data:
        data = data[os.write(1, data):]


def iso_time(seconds):
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{text}.{int(seconds * 1000) % 1000:03d}Z"


def log_error(document):
    if LOG_JSON:
        line = {"timestamp": iso_time(time.time()), "level": "ERROR", **document}
        write_record(encode(line).decode("utf-8", "replace"), logging.ERROR, 2)
        return
    lines = [f"[ERROR] {document['errorType']}: {document['errorMessage']}",
             "Traceback (most recent call last):"]
    for element in document["stackTrace"]:
        for line in element.splitlines():
            bare = line.lstrip(" ")
            # Lambda indents by no-break spaces, which no viewer of logs swallows.
            lines.append("\u00a0" * (len(line) - len(bare)) + bare)
    write_record("\n".join(lines), logging.ERROR)


class LoadError(Exception):
    def __init__(self, error_type, message, stack=()):
        super().__init__(message)
        self.document = error_document(error_type, message, "", stack)


def load_handler(name):
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        raise LoadError("Runtime.MalformedHandlerName", f"Bad handler '{name}': {error}") from error
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise LoadError("Runtime.BuiltInModuleConflict",
                        f"Cannot use built-in module {module_name} as a handler module")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise LoadError("Runtime.ImportModuleError",
                        f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        where = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}\n'
        raise LoadError("Runtime.UserCodeSyntaxError",
                        f"Syntax error in module '{module_name}': {error}", [where]) from error
    try:
        return getattr(module, function_name)
    except AttributeError as error:
        raise LoadError("Runtime.HandlerNotFound",
                        f"Handler '{function_name}' missing on module '{module_name}'") from error


# AWS's runtimes since 3.12 leave letters as they are; those before escape what is not ASCII.
ASCII = sys.version_info < (3, 12)
_plain = json.JSONEncoder(ensure_ascii=ASCII)
_words = {None: "null", True: "true", False: "false"}


def _is_plain(value):
    """Whether json writes all of `value` as simplejson would."""
    kind = type(value)
    if kind is str or kind is int or kind is float or value is None or kind is bool:
        return True
    if kind is dict:
        return all(type(k) is str for k in value) and all(map(_is_plain, value.values()))
    if kind is list or kind is tuple:
        return all(map(_is_plain, value))
    return False


def _key_text(key):
    if isinstance(key, str):
        return key
    if isinstance(key, bytes):
        return key.decode()
    if key is None or isinstance(key, bool):
        return _words[key]
    if isinstance(key, int):
        return int.__repr__(key)
    if isinstance(key, float):
        return float.__repr__(key)
    raise TypeError(f"keys must be str, int, float, bool or None, not {type(key).__name__}")


def _pieces(value, parents, out):
    if value is None or value is True or value is False:
        out.append(_words[value])
    elif isinstance(value, (str, int, float)):
        out.append(_plain.encode(value))
    elif isinstance(value, bytes):
        out.append(_plain.encode(value.decode()))
    elif isinstance(value, decimal.Decimal):
        out.append("NaN" if value.is_nan() else str(value))
    else:
        as_dict = getattr(value, "_asdict", None)
        if callable(as_dict):  # a named tuple is an object
            value = as_dict()
        if not isinstance(value, (dict, list, tuple)):
            raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
        if id(value) in parents:
            raise ValueError("Circular reference detected")
        parents.add(id(value))
        between = ""
        out.append("{" if isinstance(value, dict) else "[")
        for item in value:
            out.append(between)
            between = ", "
            if isinstance(value, dict):
                out.append(_plain.encode(_key_text(item)) + ": ")
                item = value[item]
            _pieces(item, parents, out)
        out.append("}" if isinstance(value, dict) else "]")
        parents.remove(id(value))


def encode(value):
    """JSON as AWS's runtime client writes it (simplejson): Decimals as numbers with all their digits,
    named tuples as objects, bytes as text."""
    try:
        plain = _is_plain(value)
    except RecursionError:  # a circle, which is told below
        plain = False
    if plain:
        return _plain.encode(value).encode("utf-8", "surrogatepass")
    out = []
    _pieces(value, set(), out)
    return "".join(out).encode("utf-8", "surrogatepass")


class RequestIdFilter(logging.Filter):
    request_id = ""

    def filter(self, record):
        record.aws_request_id = RequestIdFilter.request_id
        return True


def round_level(record):
    return min(50, max(0, record.levelno)) // 10 * 10


# What a record has of its own; the rest came by `extra`.
RECORD_FIELDS = set(vars(logging.makeLogRecord({}))) | {"aws_request_id", "taskName", "message",
                                                        "asctime"}


class JsonFormatter(logging.Formatter):
    """The members of a record in Lambda's JSON log format."""

    def format(self, record):
        line = {"timestamp": iso_time(record.created),
                "level": logging.getLevelName(round_level(record)),
                "message": record.getMessage(), "logger": record.name}
        if record.exc_info and record.exc_info[0]:
            line["stackTrace"] = traceback.format_tb(record.exc_info[2])
            line["errorType"] = record.exc_info[0].__name__
            line["errorMessage"] = str(record.exc_info[1])
        line["requestId"] = record.aws_request_id
        if record.exc_info:
            line["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        for name, value in vars(record).items():
            if name not in RECORD_FIELDS and name not in line and value is not None:
                line[name] = value
        return json.dumps(line, ensure_ascii=False)


class RecordHandler(logging.Handler):
    def emit(self, record):
        try:
            write_record(self.format(record), round_level(record), 2 if LOG_JSON else 3)
        except Exception:
            self.handleError(record)


def set_up_logging():
    """The root logger that functions find: WARNING unless a level is configured, with Lambda's
    formats."""
    logging.Formatter.converter = time.gmtime
    handler = RecordHandler()
    handler.setFormatter(JsonFormatter() if LOG_JSON else logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s",
        "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(RequestIdFilter())
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = {"TRACE": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL"}.get(level, level)
    if level in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        logging.getLogger().setLevel(level)
    logging.getLogger().addHandler(handler)


def parse_header(text, name):
    try:
        return json.loads(text) if text else None
    except ValueError as error:
        raise LoadError("Runtime.LambdaContextUnmarshalError",
                        f"Unable to parse {name} JSON: {error}") from error


def answer(handler, headers, body):
    """Runs one event; gives the answer's bytes and content type."""
    context = LambdaContext(headers["Lambda-Runtime-Aws-Request-Id"],
                            parse_header(headers.get("Lambda-Runtime-Client-Context"),
                                         "Client Context"),
                            parse_header(headers.get("Lambda-Runtime-Cognito-Identity"),
                                         "Cognito Identity"),
                            int(headers["Lambda-Runtime-Deadline-Ms"]),
                            headers["Lambda-Runtime-Invoked-Function-Arn"])
    try:
        event = json.loads(body)
    except ValueError as bad:
        raise LoadError("Runtime.UnmarshalError", f"Unable to unmarshal input: {bad}") from bad
    result = handler(event, context)
    if isinstance(result, bytes):
        return result, "application/unknown"
    try:
        return encode(result), "application/json"
    except Exception as bad:
        raise LoadError("Runtime.MarshalError", f"Unable to marshal response: {bad}") from bad


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
            result, content_type = answer(handler, headers, body)
        except LoadError as fault:
            error = {**fault.document, "requestId": request_id}
        except Exception as raised:  # what is no Exception, as SystemExit, ends the process
            error = exception_document(raised, request_id)
        if error:
            log_error(error)
        sys.stdout.flush()
        sys.stderr.flush()
        if error:
            api.post(f"/invocation/{request_id}/error", encode(error), error["errorType"])
        else:
            api.post(f"/invocation/{request_id}/response", result, content_type=content_type)


def main():
    layers = os.environ.get("LAMBDA_LAYERS_ROOT", "/opt")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    sys.path[0:1] = [ROOT, f"{layers}/python/lib/{version}/site-packages", f"{layers}/python"]
    sys.stdout = io.TextIOWrapper(sys.stdout.buffer, "utf-8", "backslashreplace",
                                  line_buffering=True)
    sys.argv = [""]
    provide_awslambdaric()
    sys.meta_path.insert(0, EndpointFinder())
    sys.meta_path.append(SdkFinder())
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
