// Runs a JavaScript handler against the Lambda Runtime API, as Lambda's nodejs* runtimes do:
// CommonJS and ES modules, async, callback and streaming handlers, unhandled rejections.
//
// Started by the sandbox as `node bootstrap.mjs` with _HANDLER ("path/file.function"),
// LAMBDA_TASK_ROOT and AWS_LAMBDA_RUNTIME_API. One event at a time.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { createRequire } from "node:module";
import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import util from "node:util";

const root = process.env.LAMBDA_TASK_ROOT;
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const major = Number(process.versions.node.split(".")[0]);
const TYPESCRIPT_SINCE = 24, CALLBACKS_UNTIL = 23;
const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
// Libraries of AWS's look there for the id of the present request.
const REQUEST_ID = Symbol.for("aws.lambda.runtime.requestId");

function call(method, where, body, headers = {}) {
    return new Promise((resolve, reject) => {
        const payload = body === undefined ? undefined : Buffer.from(body);
        if (payload) headers["Content-Length"] = payload.length;
        const request = http.request(
            { host, port, method, agent, path: "/2018-06-01/runtime" + where, headers },
            (reply) => {
                const pieces = [];
                reply.on("data", (piece) => pieces.push(piece));
                reply.on("error", reject);
                reply.on("end", () =>
                    resolve({
                        status: reply.statusCode,
                        headers: reply.headers,
                        body: Buffer.concat(pieces).toString("utf8"),
                    }));
            });
        request.on("error", reject);
        request.end(payload);
    });
}

/* --- errors ------------------------------------------------------------------------------------ */

function named(name, message) {
    const error = new Error(message);
    Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
    error.stack = error.stack.replace(/^Error/, name);
    return error;
}

/* What the Runtime API is told. */
function errorDocument(error) {
    try {
        const like = error && [error.name, error.message, error.stack]
            .every((part) => part && typeof part === "string");
        if (util.types.isNativeError(error) || like) {
            return { errorType: error.name, errorMessage: error.message,
                trace: error.stack.split("\n") };
        }
        return { errorType: typeof error, errorMessage: error.toString(), trace: [] };
    } catch {
        return { errorType: "handled", errorMessage: "callback called with Error argument, but there" +
            " was a problem while retrieving one or more of its message, name, and stack" };
    }
}

/* An error in a line of text: its own members, too, and its stack as a list. */
function errorText(error) {
    try {
        return JSON.stringify(error, (key, value) => {
            if (!(value instanceof Error)) return value;
            const shown = { errorType: value.name, errorMessage: value.message, code: value.code,
                ...value };
            if (typeof value.stack === "string") shown.stack = value.stack.split("\n");
            return shown;
        });
    } catch {
        return JSON.stringify(errorDocument(error));
    }
}

/* --- logs -------------------------------------------------------------------------------------- */

const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const logJson = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === "JSON";
const levelMin = Math.max(0, LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()));

/* One record, whatever lines it has, is one log event: a frame on the pipe that prints go to. Its head
 * is that of AWS's runtime clients: a mark with format and level, the length, microseconds. */
function writeRecord(level, time, text) {
    const body = Buffer.from(text, "utf8");
    const frame = Buffer.alloc(16 + body.length);
    frame.writeUInt32BE((0xa55a0000 | (LEVELS.indexOf(level) + 1) << 2 | (logJson ? 2 : 3)) >>> 0, 0);
    frame.writeUInt32BE(body.length, 4);
    frame.writeBigUInt64BE(BigInt(time.valueOf()) * 1000n, 8);
    body.copy(frame, 16);
    for (let at = 0; at < frame.length;) {
        try {
            at += fs.writeSync(1, frame, at);
        } catch (error) {
            if (error.code !== "EAGAIN") throw error;
        }
    }
}

function errorMembers(error) {
    return { errorType: error?.constructor?.name ?? "UnknownError", errorMessage: error.message,
        stackTrace: typeof error.stack === "string" ? error.stack.split("\n") : error.stack };
}

function jsonRecord(level, time, parts) {
    const record = { timestamp: time.toISOString(), level, requestId: globalThis[REQUEST_ID] };
    if (parts.length === 1) {
        record.message = parts[0];
        try {
            return JSON.stringify(record, (key, value) =>
                value instanceof Error ? { ...errorMembers(value), ...value } : value);
        } catch {
            record.message = util.format(parts[0]);
            return JSON.stringify(record);
        }
    }
    record.message = util.format(...parts);
    const error = parts.find((part) => part instanceof Error);
    return JSON.stringify(error ? { ...record, ...errorMembers(error) } : record);
}

function write(level, parts) {
    const time = new Date();
    writeRecord(level, time, logJson ? jsonRecord(level, time, parts)
        : `${time.toISOString()}\t${globalThis[REQUEST_ID]}\t${level}\t${util.format(...parts)}`);
}

for (const [name, level] of [["log", "INFO"], ["info", "INFO"], ["debug", "DEBUG"],
    ["warn", "WARN"], ["error", "ERROR"], ["trace", "TRACE"], ["fatal", "FATAL"]]) {
    const quiet = LEVELS.indexOf(level) < levelMin && level !== "FATAL";
    console[name] = quiet ? () => {} : (...parts) => write(level, parts);
}

function logError(what, error) {
    const real = error instanceof Error ? error : new Error(error);
    if (logJson) console.error(real);
    else console.error(what, "\t" + errorText(real)); // after a blank, a tab: Lambda's line has both
}

/* --- loading ----------------------------------------------------------------------------------- */

/* Whether .js below `dir` are ES modules: what the nearest package.json says. */
function isModulePackage(dir) {
    if (dir.endsWith("/node_modules")) return false;
    const file = path.join(dir, "package.json");
    if (fs.existsSync(file)) {
        try {
            return JSON.parse(fs.readFileSync(file, "utf8"))?.type === "module";
        } catch (error) {
            console.warn(`${file} cannot be read, it will be ignored for ES module detection ` +
                "purposes.", error);
            return false;
        }
    }
    return dir === "/" ? false : isModulePackage(path.dirname(dir));
}

async function loadModule(folder, name) {
    const require = createRequire(path.join(root, "x.js"));
    const base = path.resolve(root, folder, name);
    const modules = isModulePackage(path.dirname(base));
    const typescript = major >= TYPESCRIPT_SINCE;
    const ways = [["", require], [".js", modules ? "import" : require], [".mjs", "import"],
        [".cjs", require], ...(typescript ? [[".ts", modules ? "import" : require],
            [".mts", "import"], [".cts", require]] : [])];
    for (const [end, way] of ways) {
        if (!fs.statSync(base + end, { throwIfNoEntry: false })?.isFile()) continue;
        return way === "import" ? import(pathToFileURL(base + end)) : require(base + end);
    }
    if (fs.existsSync(base)) return require(base); // a folder with an index.js
    return require(require.resolve(name, { paths: [root, path.resolve(root, folder)] }));
}

async function loadHandler(name) {
    if (name.includes("..")) {
        throw named("Runtime.MalformedHandlerName", `'${name}' is not a valid handler name. Use ` +
            "absolute paths when specifying root directories in handler names.");
    }
    const base = path.basename(name);
    const match = /^([^.]*)\.(.*)$/.exec(base);
    if (!match) throw named("Runtime.MalformedHandlerName", "Bad handler");
    let module;
    try {
        module = await loadModule(name.slice(0, name.indexOf(base)), match[1]);
    } catch (error) {
        if (error instanceof SyntaxError) {
            throw named("Runtime.UserCodeSyntaxError", String(error));
        }
        // An import that fails keeps its own name, as on Lambda: only require's is translated.
        if (error.code === "MODULE_NOT_FOUND") {
            throw named("Runtime.ImportModuleError", String(error));
        }
        throw error;
    }
    const handler = match[2].split(".").reduce((at, member) => at && at[member], module);
    if (!handler) throw named("Runtime.HandlerNotFound", `${name} is undefined or not exported`);
    if (typeof handler !== "function") {
        throw named("Runtime.HandlerNotFound", `${name} is not a function`);
    }
    if (major > CALLBACKS_UNTIL && handler.length >= 3 && !handler[STREAMING]) {
        throw named("Runtime.CallbackHandlerDeprecated", "ERROR: AWS Lambda has removed support for " +
            "callback-based function handlers starting with Node.js 24. You need to modify this " +
            "function to use a supported handler signature to use Node.js 24 or later. For more " +
            "information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.");
    }
    return handler;
}

/* --- streaming handlers ------------------------------------------------------------------------ */

/* A response goes to the Runtime API as it is written, chunk by chunk, and no faster than that takes it;
 * trailers tell of an error on the way. */
class ResponseStream extends Writable {
    constructor(requestId) {
        super({
            write: (piece, encoding, done) => this.open().write(piece) ? done() : this.request.once("drain", done),
            final: (done) => this.open().end(done),
        });
        this.requestId = requestId;
        this.contentType = "application/octet-stream";
    }
    setContentType(type) {
        this.contentType = type;
    }
    open() {
        if (this.request) return this.request;
        this.request = http.request({
            host, port, method: "POST", agent, path: `/2018-06-01/runtime/invocation/${this.requestId}/response`,
            headers: {
                "Content-Type": this.contentType, "Transfer-Encoding": "chunked",
                "Lambda-Runtime-Function-Response-Mode": "streaming",
                "Trailer": "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
            },
        });
        this.replied = new Promise((resolve, reject) => {
            this.request.on("error", reject);
            this.request.on("response", (reply) => reply.on("end", resolve).on("error", reject).resume());
        });
        this.replied.catch(() => this.destroy());
        return this.request;
    }
    /* Once all was written. */
    async finish() {
        await this.replied;
    }
    /* Of a response that has begun. */
    async breakOff(error) {
        const document = errorDocument(error);
        this.request.addTrailers({
            "Lambda-Runtime-Function-Error-Type": document.errorType.replace(/[^\x20-\x7e]/g, "?"),
            "Lambda-Runtime-Function-Error-Body": Buffer.from(JSON.stringify(document)).toString("base64"),
        });
        this.request.end();
        await this.replied;
    }
}

const METADATA_TYPE = "application/vnd.awslambda.http-integration-response";
globalThis.awslambda = {
    streamifyResponse(handler) {
        handler[STREAMING] = "response";
        return handler;
    },
    HttpResponseStream: class {
        static from(stream, metadata) {
            stream.setContentType(METADATA_TYPE);
            stream.write(JSON.stringify(metadata));
            stream.write(Buffer.alloc(8)); // ends the metadata
            return stream;
        }
    },
};

async function runStreaming(handler, event, context) {
    const stream = new ResponseStream(context.awsRequestId);
    try {
        const result = handler(event, stream, context);
        if (typeof result?.then !== "function") {
            throw named("Runtime.InvalidStreamingOperation",
                "Streaming does not support non-async handlers.");
        }
        if (await result !== undefined) console.warn("Streaming handlers ignore return values.");
        if (!stream.writableFinished) {
            if (!stream.writableEnded) {
                throw named("Runtime.InvalidStreamingOperation", "Response stream is not finished.");
            }
            await finished(stream);
        }
    } catch (error) {
        if (!stream.request || stream.writableEnded) throw error;
        logError("Invoke Error", error);
        await stream.breakOff(error);
        return stream;
    }
    await stream.finish();
    return stream;
}

/* --- invocations ------------------------------------------------------------------------------- */

/* What happens when nothing is left to wait for. */
let idle = null;
process.on("beforeExit", () => idle?.());

function makeContext(headers, done) {
    const deadline = Number(headers["lambda-runtime-deadline-ms"]);
    const parsed = (name) => headers[name] ? JSON.parse(headers[name]) : undefined;
    return {
        callbackWaitsForEmptyEventLoop: true,
        succeed: (value) => done(null, value),
        fail: (error) => done(error ?? "handled", null),
        done,
        functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
        functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
        memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
        logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
        logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
        clientContext: parsed("lambda-runtime-client-context"),
        identity: parsed("lambda-runtime-cognito-identity"),
        invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
        awsRequestId: headers["lambda-runtime-aws-request-id"],
        getRemainingTimeInMillis: () => deadline - Date.now(),
    };
}

/* Runs the handler once; resolves to its answer or rejects with its error. The value that a handler
 * returns counts only if it is a promise. One that never answers ends when nothing is left to wait
 * for: a callback handler with null, an async one in error. */
function run(handler, headers, event) {
    return new Promise((resolve, reject) => {
        const settle = (error, value) =>
            (error === undefined || error === null ? resolve(value) : reject(error));
        const context = makeContext(headers, settle);
        const callback = (error, value) => {
            const now = error !== undefined && error !== null;
            // Lambda waits for timers and sockets that the handler left, unless it says not to.
            if (now || !context.callbackWaitsForEmptyEventLoop) settle(error, value);
            else if (idle === unanswered) idle = () => settle(null, value);
        };
        const unanswered = () => (handler.constructor?.name === "AsyncFunction"
            ? reject(named("Runtime.NodeJsExit", "The Lambda runtime client detected an unexpected " +
                "Node.js exit code. This is most commonly caused by a Promise that never settled."))
            : resolve(null));
        idle = unanswered;
        if (handler[STREAMING]) {
            runStreaming(handler, event, context).then(resolve, reject);
            return;
        }
        const result = handler(event, context, callback);
        if (typeof result?.then === "function") result.then(context.succeed, context.fail);
    }).finally(() => (idle = null));
}

function fail(where, error, document = errorDocument(error)) {
    return call("POST", where, JSON.stringify(document), {
        "Content-Type": "application/json",
        "Lambda-Runtime-Function-Error-Type": document.errorType.replace(/[^\x20-\x7e]/g, "?"),
    });
}

async function answer(requestId, outcome) {
    if (outcome instanceof ResponseStream) return undefined; // it is there already
    let body;
    try {
        body = JSON.stringify(outcome === undefined ? null : outcome) ?? "null";
    } catch {
        throw new Error("Unable to stringify response body");
    }
    return call("POST", `/invocation/${requestId}/response`, body, { "Content-Type": "application/json" });
}

async function crash(what, error, status) {
    logError(what, error);
    const requestId = globalThis[REQUEST_ID];
    agent.destroy();
    await fail(requestId ? `/invocation/${requestId}/error` : "/init/error", error).catch(() => {});
    process.exit(status);
}

process.on("unhandledRejection", (reason, promise) => {
    const error = named("Runtime.UnhandledPromiseRejection", String(reason));
    crash("Unhandled Promise Rejection", Object.assign(error, { reason, promise }), 128);
});
process.on("uncaughtException", (error) => crash("Uncaught Exception", error, 129));

let handler;
try {
    handler = await loadHandler(process.env._HANDLER);
} catch (error) {
    await crash("Uncaught Exception", error, 129);
}
for (;;) {
    const next = await call("GET", "/invocation/next");
    if (next.status !== 200) process.exit(1);
    const requestId = next.headers["lambda-runtime-aws-request-id"];
    globalThis[REQUEST_ID] = requestId;
    const trace = next.headers["lambda-runtime-trace-id"];
    if (trace) process.env._X_AMZN_TRACE_ID = trace;
    else delete process.env._X_AMZN_TRACE_ID;
    try {
        await answer(requestId, await run(handler, next.headers, JSON.parse(next.body)));
    } catch (error) {
        logError("Invoke Error", error);
        await fail(`/invocation/${requestId}/error`, error);
    }
}
