"""A CloudFormation that makes nothing, for tests of the client alone: stacks, change sets and events by the
published API, over resources that are only names. A queue with a DelaySeconds over 900 fails."""
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

import yaml

NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def xml(value):
    if isinstance(value, dict):
        return "".join(f"<{k}>{xml(v)}</{k}>" for k, v in value.items() if v is not None)
    if isinstance(value, list):
        return "".join(f"<member>{xml(v)}</member>" for v in value)
    return escape(str(value))


class Stack:
    def __init__(self, name):
        self.name, self.id = name, f"arn:aws:cloudformation:us-east-1:000000000000:stack/{name}/1"
        self.status, self.resources, self.events, self.set = "REVIEW_IN_PROGRESS", {}, [], None
        self.parameters, self.outputs = {}, {}

    def event(self, logical, type_, status, reason=None):
        if logical == self.name:
            self.status = status
        self.events.insert(0, {"EventId": f"{self.id}-{len(self.events)}", "StackId": self.id, "LogicalResourceId": logical,
                               "PhysicalResourceId": self.id if logical == self.name else f"{logical}-1",
                               "ResourceType": type_, "ResourceStatus": status, "ResourceStatusReason": reason})

    def own(self, status, reason=None):
        self.event(self.name, "AWS::CloudFormation::Stack", status, reason)


class Fake:
    """`url`, and what was asked as `calls`. What is done to a stack ends when events were asked for some times, but
    for while `held` is set."""

    def __init__(self):
        self.stacks, self.calls, self.held, self.looks = {}, [], threading.Event(), 0
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
                fake.calls.append(form)
                status, text = fake.answer(form)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, form):
        action = form["Action"]
        try:
            result = getattr(self, action)(form) or {}
        except Refused as e:
            return 400, f'<ErrorResponse xmlns="{NAMESPACE}">{xml({"Error": {"Type": "Sender", "Code": e.code, "Message": e}})}</ErrorResponse>'
        return 200, f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>{xml(result)}</{action}Result></{action}Response>'

    def find(self, form):
        for stack in reversed(self.stacks.values()):
            if form["StackName"] == stack.id or (form["StackName"] == stack.name and stack.status != "DELETE_COMPLETE"):
                return stack
        raise Refused("ValidationError", f"Stack with id {form['StackName']} does not exist")

    def DescribeStacks(self, form):
        found = [self.find(form)] if "StackName" in form else [s for s in self.stacks.values() if s.status != "DELETE_COMPLETE"]
        return {"Stacks": [{"StackName": s.name, "StackId": s.id, "StackStatus": s.status, "CreationTime": "2026-11-29T00:00:00.000Z",
                            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in s.parameters.items()],
                            "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in s.outputs.items()]} for s in found]}

    def DescribeStackEvents(self, form):
        stack = self.find(form)
        self.looks += not self.held.is_set()
        if self.looks > 2:
            self.go_on()
            self.looks = 0
        return {"StackEvents": stack.events}

    def CreateChangeSet(self, form):
        stack = self.stacks.get(form["StackName"])
        if not stack or stack.status == "DELETE_COMPLETE":
            assert form["ChangeSetType"] == "CREATE"
            stack = self.stacks[form["StackName"]] = Stack(form["StackName"])
        assert form["ChangeSetType"] == ("CREATE" if stack.status == "REVIEW_IN_PROGRESS" else "UPDATE")
        assert form["Capabilities.member.1"] == "CAPABILITY_IAM"
        stack.set = {"name": form["ChangeSetName"], "template": yaml.safe_load(form["TemplateBody"]), "parameters": {}}
        for i in range(1, 100):
            if key := form.get(f"Parameters.member.{i}.ParameterKey"):
                stack.set["parameters"][key] = form.get(f"Parameters.member.{i}.ParameterValue", stack.parameters.get(key))
        return {"Id": "x", "StackId": stack.id}

    def changes(self, stack):
        new = stack.set["template"]["Resources"]
        for name, resource in new.items():
            if name not in stack.resources:
                yield {"Action": "Add", "LogicalResourceId": name, "ResourceType": resource["Type"]}
            elif resource != stack.resources[name]:
                yield {"Action": "Modify", "LogicalResourceId": name, "ResourceType": resource["Type"], "Replacement": "False"}
        for name, resource in stack.resources.items():
            if name not in new:
                yield {"Action": "Remove", "LogicalResourceId": name, "ResourceType": resource["Type"]}

    def DescribeChangeSet(self, form):
        stack = self.find(form)
        changes = list(self.changes(stack))
        if not changes:
            return {"Status": "FAILED", "StatusReason": "The submitted information didn't contain changes. Submit different information to create a change set."}
        return {"Status": "CREATE_COMPLETE", "StackId": stack.id, "Changes": [{"Type": "Resource", "ResourceChange": c} for c in changes]}

    def DeleteChangeSet(self, form):
        self.find(form).set = None

    def ExecuteChangeSet(self, form):
        stack = self.find(form)
        verb = "CREATE" if stack.status == "REVIEW_IN_PROGRESS" else "UPDATE"
        stack.own(f"{verb}_IN_PROGRESS", "User Initiated")

    def DeleteStack(self, form):
        stack = self.find(form)
        if stack.status == "REVIEW_IN_PROGRESS":
            stack.status = "DELETE_COMPLETE"
        else:
            stack.own("DELETE_IN_PROGRESS", "User Initiated")

    def go_on(self):
        for stack in list(self.stacks.values()):
            if stack.status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
                self.carry_out(stack, stack.status.split("_")[0])
            elif stack.status == "DELETE_IN_PROGRESS":
                stack.own("DELETE_COMPLETE")

    def carry_out(self, stack, verb):
        template = stack.set["template"]
        for change in self.changes(stack):
            name, type_ = change["LogicalResourceId"], change["ResourceType"]
            stack.event(name, type_, f"{verb}_IN_PROGRESS")
            if int(template["Resources"].get(name, {}).get("Properties", {}).get("DelaySeconds", 0)) > 900:
                stack.event(name, type_, f"{verb}_FAILED", "Invalid value for the parameter DelaySeconds.")
                prefix = "" if verb == "CREATE" else "UPDATE_"
                stack.own(f"{prefix}ROLLBACK_IN_PROGRESS", f"The following resource(s) failed to create: [{name}].")
                stack.event(name, type_, "DELETE_COMPLETE")
                stack.own(f"{prefix}ROLLBACK_COMPLETE")
                return
            stack.event(name, type_, f"{verb}_COMPLETE")
        stack.resources, stack.parameters = template["Resources"], stack.set["parameters"]
        stack.outputs = {k: v["Value"] for k, v in template.get("Outputs", {}).items()}
        stack.own(f"{verb}_COMPLETE")
