"""kill -9 while an API is put anew and deployed: what is served afterwards is one deployment or the next, never a mixture
of two, and none that is older than what was acknowledged."""
import http.client
import json
import threading

from botocore.config import Config

ROUNDS, DEPLOYMENTS = 3, 4
PATHS = ["/"] + [f"/p{i}" for i in range(8)]  # a record each


def description(n):
    """Everything in it says `n`."""
    def method():
        answer = {"statusCode": "200", "responseTemplates": {"application/json": str(n)},
                  "responseParameters": {"method.response.header.X-N": f"'{n}'"}}
        return {"get": {"responses": {"200": {"description": "ok", "headers": {"X-N": {"type": "string"}}}},
                        "x-amazon-apigateway-integration": {"type": "mock", "responses": {"default": answer},
                                                            "requestTemplates": {"application/json": '{"statusCode": 200}'}}}}
    return json.dumps({"swagger": "2.0", "info": {"title": "t", "version": str(n)}, "paths": {p: method() for p in PATHS}})


def deploy(weir, api, seen, enough):
    """Until it is killed. `seen`: what was begun and what was acknowledged."""
    gw = weir.client("apigateway", config=Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=20))
    done = 0
    while True:
        n = seen["begun"] = seen["begun"] + 1
        try:
            gw.put_rest_api(restApiId=api, mode="overwrite", body=description(n).encode())
            seen["put"] = n
            gw.create_deployment(restApiId=api, stageName="prod")
        except Exception:  # killed under this call: what it did is not known
            return
        seen["deployed"] = n
        done += 1
        if done == DEPLOYMENTS:
            enough.release()


def served(weir, api):
    """The number that each path is answered with; of one reply all parts are of one deployment."""
    connection = http.client.HTTPConnection("127.0.0.1", weir.port, timeout=20)
    numbers = []
    for path in PATHS:
        connection.request("GET", f"/restapis/{api}/prod/_user_request_{path}")
        reply = connection.getresponse()
        text = reply.read().decode()
        assert reply.status == 200 and reply.headers["X-N"] == text, (path, reply.status, text)
        numbers.append(int(text))
    connection.close()
    return numbers


def ask(weir, api, seen, wrong):
    """What is served while it is deployed never goes back."""
    last = seen["deployed"]
    while True:
        try:
            for n in served(weir, api):
                assert last <= n, (last, n)
                last = n
        except (OSError, http.client.HTTPException):  # killed
            return
        except AssertionError as e:
            wrong.append(e)
            return


def test_kill_during_deployments(fresh_weir):
    weir, wrong = fresh_weir, []
    gw = weir.client("apigateway")
    api = gw.import_rest_api(body=description(0).encode())["id"]
    gw.create_deployment(restApiId=api, stageName="prod")
    seen = {"begun": 0, "put": 0, "deployed": 0}
    for _ in range(ROUNDS):
        enough = threading.Semaphore(0)
        threads = [threading.Thread(target=deploy, args=(weir, api, seen, enough)),
                   threading.Thread(target=ask, args=(weir, api, seen, wrong))]
        for thread in threads:
            thread.start()
        assert enough.acquire(timeout=120)
        weir.kill9()
        for thread in threads:
            thread.join()
        weir.start()
        assert not wrong, wrong
        numbers = served(weir, api)
        assert len(set(numbers)) == 1 and seen["deployed"] <= numbers[0] <= seen["begun"], (numbers, seen)
        # And so is the API itself: deployed as it is now, it is one description.
        gw.create_deployment(restApiId=api, stageName="prod")
        numbers = served(weir, api)
        assert len(set(numbers)) == 1 and seen["put"] <= numbers[0] <= seen["begun"], (numbers, seen)
        seen["deployed"] = numbers[0]
