// Runs a JavaScript handler against the Lambda Runtime API, as Lambda's nodejs* runtimes do:
// CommonJS and ES modules, async and callback handlers, unhandled rejections.
//
// Started by the sandbox as `node bootstrap.mjs` with _HANDLER ("path/file.function"),
// LAMBDA_TASK_ROOT and AWS_LAMBDA_RUNTIME_API. One event at a time.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import util from "node:util";

const root = process.env.LAMBDA_TASK_ROOT;
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
let requestId = "";

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

function errorDocument(error) {
    if (util.types.isNativeError(error) || error instanceof Error) {
        return {
            errorType: error.name ?? "Error",
            errorMessage: error.message ?? "",
            trace: (error.stack ?? "").split("\n"),
        };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

function named(name, message) {
    const error = new Error(message);
    error.name = name;
    return error;
}

function write(stream, level, parts) {
    const time = new Date().toISOString();
    // A newline inside would split the record; Lambda writes a carriage return there.
    const text = util.format(...parts).replaceAll("\n", "\r");
    fs.writeSync(stream, `${time}\t${requestId || "undefined"}\t${level}\t${text}\n`);
}

for (const [name, level] of [["log", "INFO"], ["info", "INFO"], ["debug", "DEBUG"],
    ["warn", "WARN"], ["error", "ERROR"], ["trace", "TRACE"], ["fatal", "FATAL"]]) {
    console[name] = (...parts) => write(1, level, parts);
}

function post(where, document) {
    return call("POST", where, JSON.stringify(document), {
        "Content-Type": "application/json",
        "Lambda-Runtime-Function-Error-Type": document.errorType,
    });
}

async function loadHandler(name) {
    const match = /^(.*\/)?([^/.][^/]*)\.([^/]+)$/.exec(name);
    if (!match || name.includes("..")) {
        throw named("Runtime.MalformedHandlerName", `Bad handler: ${name}`);
    }
    // "dir/file.a.b": the file ends at its first dot.
    const base = path.basename(name);
    const dot = base.indexOf(".");
    const file = path.join(root, match[1] ?? "", base.slice(0, dot));
    const members = base.slice(dot + 1).split(".");
    const found = ["", ".js", ".mjs", ".cjs"].map((end) => file + end)
        .find((candidate) => fs.statSync(candidate, { throwIfNoEntry: false })?.isFile());
    const require = createRequire(pathToFileURL(path.join(root, "x.js")));
    let module;
    try {
        if (found && found.endsWith(".mjs")) {
            module = await import(pathToFileURL(found));
        } else if (found || fs.existsSync(file)) {
            try {
                module = require(found && path.extname(found) ? found : file);
            } catch (error) {
                if (error.code !== "ERR_REQUIRE_ESM" && !isModuleSyntax(error, found)) throw error;
                module = await import(pathToFileURL(found));
            }
        } else {
            throw named("Runtime.ImportModuleError",
                `Error: Cannot find module '${path.basename(file)}'\nRequire stack:\n- ${root}`);
        }
    } catch (error) {
        if (error instanceof SyntaxError) {
            throw named("Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`);
        }
        if (error.code === "MODULE_NOT_FOUND" || error.code === "ERR_MODULE_NOT_FOUND") {
            throw named("Runtime.ImportModuleError", `Error: ${error.message}`);
        }
        throw error;
    }
    let handler = module;
    for (const member of members) handler = handler?.[member];
    if (handler === undefined && module.default) {
        handler = module.default;
        for (const member of members) handler = handler?.[member];
    }
    if (handler === undefined) {
        throw named("Runtime.HandlerNotFound", `${name} is undefined or not exported`);
    }
    if (typeof handler !== "function") {
        throw named("Runtime.HandlerNotFound", `${name} is not a function`);
    }
    return handler;
}

/* A .js file with import or export in a package of "type": "module", or without a package. */
function isModuleSyntax(error, file) {
    if (!(error instanceof SyntaxError) || !file) return false;
    for (let dir = path.dirname(file); dir.startsWith(root); dir = path.dirname(dir)) {
        const text = path.join(dir, "package.json");
        if (fs.existsSync(text)) return JSON.parse(fs.readFileSync(text, "utf8")).type === "module";
    }
    return false;
}

function makeContext(headers, finish) {
    const deadline = Number(headers["lambda-runtime-deadline-ms"]);
    const client = headers["lambda-runtime-client-context"];
    return {
        callbackWaitsForEmptyEventLoop: true,
        functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
        functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
        invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
        memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
        awsRequestId: requestId,
        logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
        logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
        identity: undefined,
        clientContext: client ? JSON.parse(client) : undefined,
        getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
        succeed: (value) => finish(null, value),
        fail: (error) => finish(error ?? new Error("failed")),
        done: (error, value) => finish(error, value),
    };
}

/* Runs the handler once; resolves to its answer or rejects with its error. A callback handler that
 * never calls back ends, with null, when nothing is left to wait for. */
let idle = null;
process.on("beforeExit", () => idle?.());

function run(handler, headers, event) {
    return new Promise((resolve, reject) => {
        let context;
        const finish = (error, value) => {
            const settle = () => (error ? reject(error) : resolve(value));
            // Lambda waits for timers and sockets that the handler left, unless it says not to.
            if (context.callbackWaitsForEmptyEventLoop && !error) idle = settle;
            else settle();
        };
        context = makeContext(headers, finish);
        idle = () => resolve(null);
        const result = handler(event, context, finish);
        if (typeof result?.then === "function") result.then(resolve, reject);
        else if (handler.length < 2 && result !== undefined) resolve(result);
    }).finally(() => (idle = null));
}

async function answer(outcome) {
    let body;
    try {
        body = JSON.stringify(outcome === undefined ? null : outcome) ?? "null";
    } catch {
        return post(`/invocation/${requestId}/error`,
            errorDocument(named("Runtime.MarshalError", "Unable to stringify response body")));
    }
    return call("POST", `/invocation/${requestId}/response`, body,
        { "Content-Type": "application/json" });
}

async function crash(error, type) {
    const document = { ...errorDocument(error), errorType: type };
    document.errorMessage = `${errorDocument(error).errorType}: ${document.errorMessage}`;
    if (type === "Runtime.UnhandledPromiseRejection") document.reason = errorDocument(error);
    write(1, "ERROR", [type === "Runtime.UnhandledPromiseRejection" ? "Unhandled Promise Rejection"
        : "Uncaught Exception", JSON.stringify(document)]);
    const where = requestId ? `/invocation/${requestId}/error` : "/init/error";
    agent.destroy();
    await post(where, document).catch(() => {});
    process.exit(128 + 1);
}

process.on("unhandledRejection", (error) => crash(error, "Runtime.UnhandledPromiseRejection"));
process.on("uncaughtException", (error) => crash(error, "Runtime.UnhandledError"));

let handler;
try {
    handler = await loadHandler(process.env._HANDLER);
} catch (error) {
    const document = errorDocument(error);
    write(1, "ERROR", ["Uncaught Exception", JSON.stringify(document)]);
    await post("/init/error", document);
    process.exit(1);
}
for (;;) {
    const next = await call("GET", "/invocation/next");
    if (next.status !== 200) process.exit(1);
    requestId = next.headers["lambda-runtime-aws-request-id"];
    const trace = next.headers["lambda-runtime-trace-id"];
    if (trace) process.env._X_AMZN_TRACE_ID = trace;
    else delete process.env._X_AMZN_TRACE_ID;
    try {
        await answer(await run(handler, next.headers, JSON.parse(next.body)));
    } catch (error) {
        const document = errorDocument(error);
        write(1, "ERROR", ["Invoke Error", JSON.stringify(document)]);
        await post(`/invocation/${requestId}/error`, document);
    }
    requestId = "";
}
