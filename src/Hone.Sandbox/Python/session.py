# One session of Python: runs pieces of code, keeps their variables, and turns what they give into JSON.
import builtins, dataclasses, datetime, decimal, enum, io, json, math, os, sys, uuid
from pyodide.code import eval_code_async

os.environ.clear()
os.environ["HOME"] = "/home/code"
os.makedirs("/home/code", exist_ok=True)
os.chdir("/home/code")


def refuse(*args, **kwargs):
    raise PermissionError("there are no processes here")


os.system = os.popen = refuse


class Submitted(BaseException):
    pass


class TooLong(Exception):
    pass


class Output(io.TextIOBase):
    def __init__(self, limit):
        self.parts, self.left, self.cut = [], limit, False

    def writable(self):
        return True

    def write(self, text):
        text = str(text)
        if len(text) > self.left:
            self.cut = True
        self.parts.append(text[: self.left])
        self.left -= min(len(text), self.left)
        return len(text)

    def text(self):
        return clean("".join(self.parts))


def clean(text):
    return text.encode("utf-8", "replace").decode("utf-8")


def plain(value, depth=0):
    if depth > 60:
        raise ValueError("a value is nested too deeply to leave the code")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return plain(value.value, depth + 1)
    if isinstance(value, str):
        return clean(str(value))
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {clean(str(key)): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict(), depth + 1)
    if isinstance(value, (list, tuple, set, frozenset, range)) or type(value).__name__ in ("dict_keys", "dict_values", "dict_items", "deque"):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name), depth + 1) for field in dataclasses.fields(value)}
    return clean(repr(value))


class Session:
    def __init__(self, settings, call):
        settings = json.loads(settings)
        self.limits, self.outputs, self.call, self.pieces = settings["limits"], settings["outputs"], call, 0
        self.names = {"__name__": "__main__", "__builtins__": builtins}
        for tool in settings["tools"]:
            self.names[tool] = self.tool(tool)
        if self.outputs:
            self.names["SUBMIT"] = self.submit

    def leaving(self, value):
        text = json.dumps(plain(value))
        if len(text) > self.limits["value"]:
            raise TooLong(f"a value is {len(text):,} characters long; {self.limits['value']:,} may leave the code, so take a part of it")
        return text

    # What a model would rather see the beginning of than an error.
    def last(self, value):
        most = self.limits["value"]
        value = plain(value)
        text = value if isinstance(value, str) else json.dumps(value)
        return (json.dumps(text[:most]), True) if len(text) > most else (json.dumps(value), False)

    def tool(self, name):
        def call(*args, **kwargs):
            answer = json.loads(self.call(name, self.leaving(args), self.leaving(kwargs) if kwargs else ""))
            if "error" in answer:
                raise RuntimeError(answer["error"])
            return answer["value"]

        call.__name__ = call.__qualname__ = name
        return call

    def submit(self, *args, **kwargs):
        if len(args) == 1 and not kwargs and isinstance(args[0], dict) and (len(self.outputs) > 1 or self.outputs[0] in args[0]):
            kwargs, args = args[0], ()
        if args and (kwargs or len(args) != len(self.outputs)):
            raise TypeError(f"SUBMIT takes {', '.join(self.outputs)}: by name, in this order, or as one dictionary")
        raise Submitted(self.leaving(dict(zip(self.outputs, args)) if args else kwargs))

    async def run(self, code, variables):
        self.pieces += 1
        piece = f"<code {self.pieces}>"
        output = Output(self.limits["output"])
        before = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = output
        reply = {}
        try:
            self.names.update(json.loads(variables))
            value = await eval_code_async(code, self.names, filename=piece)
            reply["value"], reply["valueCut"] = self.last(value) if self.limits["cutValue"] else (self.leaving(value), False)
        except Submitted as submitted:
            reply["submitted"] = str(submitted)
        except BaseException as error:
            reply["error"] = self.fault(error, piece)
        finally:
            sys.stdout, sys.stderr = before
        reply["output"], reply["cut"] = output.text(), output.cut
        return json.dumps(reply)

    def read(self, name):
        if name not in self.names:
            return json.dumps({"error": {"type": "NameError", "message": f"name '{name}' is not defined", "kind": "Runtime"}})
        try:
            return json.dumps({"value": self.leaving(self.names[name])})
        except Exception as error:
            return json.dumps({"error": self.fault(error, "")})

    def fault(self, error, piece):
        kind, line = "Runtime", None
        if isinstance(error, SyntaxError) and error.filename == piece:
            kind, line = "Syntax", error.lineno
        elif isinstance(error, MemoryError):
            kind = "Memory"
        elif isinstance(error, (RecursionError, TooLong)):
            kind = "Limit"
        step = error.__traceback__
        while step is not None:
            if step.tb_frame.f_code.co_filename == piece and kind != "Syntax":
                line = step.tb_lineno
            step = step.tb_next
        try:
            message = clean(error.msg if isinstance(error, SyntaxError) else str(error))
        except BaseException:
            message = ""
        if isinstance(error, MemoryError) and not message:
            message = "the code took more memory than it may"
        return {"type": clean(type(error).__name__), "message": message[:4000], "kind": kind, "line": line}
