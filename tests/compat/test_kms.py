"""KMS through boto3 and the AWS CLI: keys and their states, aliases, policies, grants, tags, all the
cryptography (checked with another implementation), rotation, imported material, restarts."""
import base64
import datetime
import hashlib
import hmac
import json
import os
import subprocess

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from test_policy import Person, document, statement

from weirtest import ROOT, find_clis, wait_for

ACCOUNT = "000000000000"
ROOT_ARN = f"arn:aws:iam::{ACCOUNT}:root"
GONE = "12345678-1234-1234-1234-123456789012"


def code(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"]


def message(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Message"]


def model():
    """The service's model as the spec has it: what the installed client knows of KMS may be older."""
    with open(os.path.join(ROOT, "spec", "kms.json"), encoding="utf-8") as f:
        spec = json.load(f)
    shapes = {n: {k: v for k, v in s.items() if k != "name"} for n, s in spec["shapes"].items()}
    shapes.update({n: {"type": "structure", "members": {}, "exception": True} for n in spec["errors"]})
    operations = {}
    for name, row in spec["operations"].items():
        operations[name] = {"name": name, "http": {"method": "POST", "requestUri": "/"},
                            "errors": [{"shape": e} for e in row.get("errors", [])]}
        for side in ("input", "output"):
            if side in row:
                operations[name][side] = {"shape": row[side]}
    facts = {**spec["import"], "signatureVersion": "v4", "serviceId": "KMS", "uid": "kms-2014-11-01"}
    return {"version": "2.0", "metadata": facts, "operations": operations, "shapes": shapes}


@pytest.fixture(scope="module")
def current(tmp_path_factory):
    """current(weir, **keys): a client that knows all of the spec."""
    data = tmp_path_factory.mktemp("models")
    (data / "kms" / "2014-11-01").mkdir(parents=True)
    (data / "kms" / "2014-11-01" / "service-2.json").write_text(json.dumps(model()))

    def client(weir, key="test", secret="test", token=None):
        session = botocore.session.get_session()
        session.get_component("data_loader").search_paths.insert(0, str(data))
        return boto3.session.Session(botocore_session=session).client("kms", **weir._args(key, secret, token, None))

    return client


@pytest.fixture(scope="module")
def kms(weir, current):
    return current(weir)


def make(kms, **kw):
    return kms.create_key(**kw)["KeyMetadata"]["KeyId"]


@pytest.fixture(scope="module")
def key(kms):
    return make(kms)


@pytest.fixture(scope="module")
def rsa_key(kms):
    return make(kms, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")


def paginator(kms, operation):
    """Pages, whether or not the installed client has a paginator for the operation."""
    class Pages:
        @staticmethod
        def paginate(PaginationConfig, **kw):
            reply = getattr(kms, operation)(Limit=PaginationConfig["PageSize"], **kw)
            yield reply
            while reply["Truncated"]:
                reply = getattr(kms, operation)(Limit=PaginationConfig["PageSize"], Marker=reply["NextMarker"], **kw)
                yield reply
    return Pages()


def arn(key_id):
    return f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{key_id}"


# --- keys -------------------------------------------------------------------------------------------------------


def test_key(kms):
    made = kms.create_key(Description="mine", Tags=[{"TagKey": "team", "TagValue": "red"}])["KeyMetadata"]
    shown = kms.describe_key(KeyId=made["Arn"])["KeyMetadata"]
    assert shown == made
    assert made["Arn"] == arn(made["KeyId"]) and made["AWSAccountId"] == ACCOUNT
    assert (made["KeyState"], made["Enabled"], made["KeyUsage"], made["KeySpec"], made["Origin"], made["KeyManager"]) == (
        "Enabled", True, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "AWS_KMS", "CUSTOMER")
    assert made["EncryptionAlgorithms"] == ["SYMMETRIC_DEFAULT"] and made["MultiRegion"] is False
    assert made["Description"] == "mine" and len(made["CurrentKeyMaterialId"]) == 64
    kms.update_key_description(KeyId=made["KeyId"], Description="ours")
    assert kms.describe_key(KeyId=made["KeyId"])["KeyMetadata"]["Description"] == "ours"
    assert kms.list_resource_tags(KeyId=made["KeyId"])["Tags"] == [{"TagKey": "team", "TagValue": "red"}]


def test_names_of_keys(kms, key):
    assert code(kms.describe_key, KeyId=GONE) == "NotFoundException"
    assert message(kms.describe_key, KeyId=GONE) == f"Key '{arn(GONE)}' does not exist"
    assert message(kms.describe_key, KeyId="nonsense") == "Invalid keyId nonsense"
    assert code(kms.describe_key, KeyId="alias/none") == "NotFoundException"
    assert code(kms.describe_key, KeyId="arn:aws:s3:::bucket") == "InvalidArnException"
    assert code(kms.describe_key, KeyId=arn(key).replace(":key/", ":thing/")) == "InvalidArnException"
    assert code(kms.describe_key, KeyId=arn(key).replace("us-east-1", "eu-west-1")) == "NotFoundException"
    assert code(kms.describe_key, KeyId=arn(key).replace(ACCOUNT, "111122223333")) == "NotFoundException"
    kms.create_alias(AliasName="alias/named", TargetKeyId=key)
    for name in ("alias/named", f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/named", key, arn(key)):
        assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] == key
    assert code(kms.disable_key, KeyId="alias/named") == "NotFoundException"
    assert code(kms.disable_key, KeyId=f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/named") == "InvalidArnException"


@pytest.mark.parametrize("spec, usage", [
    ("HMAC_224", "GENERATE_VERIFY_MAC"), ("ECC_NIST_P256", "SIGN_VERIFY"), ("ECC_NIST_P384", "KEY_AGREEMENT"),
    ("ECC_SECG_P256K1", "SIGN_VERIFY")])
def test_specs(kms, spec, usage):
    made = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    assert (made["KeySpec"], made["CustomerMasterKeySpec"], made["KeyUsage"]) == (spec, spec, usage)


@pytest.mark.parametrize("asked, error", [
    ({"KeySpec": "RSA_2048"}, "ValidationException"),
    ({"KeySpec": "RSA_2048", "KeyUsage": "GENERATE_VERIFY_MAC"}, "ValidationException"),
    ({"KeySpec": "ECC_SECG_P256K1", "KeyUsage": "KEY_AGREEMENT"}, "ValidationException"),
    ({"KeyUsage": "SIGN_VERIFY"}, "ValidationException"),
    ({"KeySpec": "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT"}, "ValidationException"),
    ({"Tags": [{"TagKey": "aws:x", "TagValue": "y"}]}, "TagException"),
    ({"Tags": [{"TagKey": "a", "TagValue": "y"}, {"TagKey": "a", "TagValue": "z"}]}, "TagException"),
    ({"Policy": "{"}, "MalformedPolicyDocumentException"),
    ({"Policy": document(statement(action="kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody-at-all"}))},
     "MalformedPolicyDocumentException"),
    ({"Policy": document(statement(action="kms:*", Principal={"AWS": "*"}, Condition={"StringEquals": {"kms:Nonsense": "x"}}))},
     "MalformedPolicyDocumentException"),
    ({"Policy": " " * (33 * 1024) + "{}"}, "LimitExceededException"),
])
def test_bad_keys(kms, asked, error):
    assert code(kms.create_key, **asked) == error


def test_lists(kms):
    ids = {make(kms) for _ in range(5)}
    seen = set()
    for page in paginator(kms, "list_keys").paginate(PaginationConfig={"PageSize": 2}):
        assert len(page["Keys"]) <= 2 and all(k["KeyArn"] == arn(k["KeyId"]) for k in page["Keys"])
        seen |= {k["KeyId"] for k in page["Keys"]}
    assert ids <= seen
    assert code(kms.list_keys, Marker="nonsense") == "InvalidMarkerException"


def test_states(kms):
    key = make(kms)
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    assert message(kms.encrypt, KeyId=key, Plaintext=b"x") == f"{arn(key)} is disabled."
    for call, more in ((kms.encrypt, {"KeyId": key, "Plaintext": b"x"}), (kms.decrypt, {"CiphertextBlob": blob}),
                       (kms.generate_data_key, {"KeyId": key, "KeySpec": "AES_256"}), (kms.enable_key_rotation, {"KeyId": key})):
        assert code(call, **more) == "DisabledException"
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    gone = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert gone["KeyState"] == "PendingDeletion" and gone["PendingWindowInDays"] == 7
    shown = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert shown["KeyState"] == "PendingDeletion" and shown["DeletionDate"] == gone["DeletionDate"]
    assert message(kms.decrypt, CiphertextBlob=blob) == f"{arn(key)} is pending deletion."
    for call, more in ((kms.encrypt, {"Plaintext": b"x"}), (kms.enable_key, {}), (kms.disable_key, {}), (kms.schedule_key_deletion, {}),
                       (kms.update_key_description, {"Description": "d"}), (kms.tag_resource, {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
                       (kms.create_alias, {"AliasName": "alias/late"}), (kms.enable_key_rotation, {})):
        named = {"TargetKeyId": key} if call == kms.create_alias else {"KeyId": key}
        assert code(call, **named, **more) == "KMSInvalidStateException"
    assert kms.cancel_key_deletion(KeyId=key)["KeyId"] == arn(key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    assert code(kms.cancel_key_deletion, KeyId=key) == "KMSInvalidStateException"
    for days in (6, 31):
        assert code(kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=days) == "ValidationException"


# --- aliases ----------------------------------------------------------------------------------------------------


def test_aliases(kms):
    one, two = make(kms), make(kms)
    kms.create_alias(AliasName="alias/moves", TargetKeyId=one)
    assert code(kms.create_alias, AliasName="alias/moves", TargetKeyId=two) == "AlreadyExistsException"
    listed = kms.list_aliases(KeyId=one)["Aliases"]
    assert [(a["AliasName"], a["AliasArn"], a["TargetKeyId"]) for a in listed] == [
        ("alias/moves", f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/moves", one)]
    blob = kms.encrypt(KeyId="alias/moves", Plaintext=b"x")
    assert blob["KeyId"] == arn(one)
    kms.update_alias(AliasName="alias/moves", TargetKeyId=two)
    assert kms.list_aliases(KeyId=one)["Aliases"] == []
    assert kms.describe_key(KeyId="alias/moves")["KeyMetadata"]["KeyId"] == two
    assert kms.decrypt(CiphertextBlob=blob["CiphertextBlob"])["Plaintext"] == b"x"
    assert code(kms.decrypt, CiphertextBlob=blob["CiphertextBlob"], KeyId="alias/moves") == "IncorrectKeyException"
    kms.delete_alias(AliasName="alias/moves")
    assert code(kms.delete_alias, AliasName="alias/moves") == "NotFoundException"
    assert code(kms.update_alias, AliasName="alias/moves", TargetKeyId=one) == "NotFoundException"
    for i in range(3):
        kms.create_alias(AliasName=f"alias/page/{i}", TargetKeyId=one)
    pages = list(paginator(kms, "list_aliases").paginate(KeyId=one, PaginationConfig={"PageSize": 2}))
    assert [len(p["Aliases"]) for p in pages] == [2, 1]


@pytest.mark.parametrize("name, error", [
    ("nonsense", "ValidationException"), ("alias/", "InvalidAliasNameException"), ("alias/aws/s3", "NotAuthorizedException"),
    ("alias/a b", "ValidationException")])
def test_bad_aliases(kms, key, name, error):
    assert code(kms.create_alias, AliasName=name, TargetKeyId=key) == error


def test_alias_limit(kms):
    key = make(kms)
    for i in range(50):
        kms.create_alias(AliasName=f"alias/limit/{i}", TargetKeyId=key)
    assert code(kms.create_alias, AliasName="alias/limit/50", TargetKeyId=key) == "LimitExceededException"


def test_alias_stays_with_its_kind(kms, key, rsa_key):
    kms.create_alias(AliasName="alias/kind", TargetKeyId=key)
    assert code(kms.update_alias, AliasName="alias/kind", TargetKeyId=rsa_key) == "ValidationException"


# --- tags -------------------------------------------------------------------------------------------------------


def test_tags(kms, weir):
    key = make(kms)
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": k, "TagValue": k} for k in "abc"])
    pages = list(paginator(kms, "list_resource_tags").paginate(KeyId=arn(key), PaginationConfig={"PageSize": 2}))
    assert [t["TagKey"] for p in pages for t in p["Tags"]] == ["a", "b", "c"] and len(pages) == 2
    kms.untag_resource(KeyId=key, TagKeys=["b", "none"])
    assert [t["TagKey"] for t in kms.list_resource_tags(KeyId=key)["Tags"]] == ["a", "c"]
    assert code(kms.tag_resource, KeyId=key, Tags=[{"TagKey": f"k{i}", "TagValue": ""} for i in range(51)]) == "LimitExceededException"
    found = weir.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "a"}])["ResourceTagMappingList"]
    assert arn(key) in [r["ResourceARN"] for r in found]


# --- symmetric encryption ----------------------------------------------------------------------------------------


def test_encrypt(kms, key):
    made = kms.encrypt(KeyId=key, Plaintext=b"secret")
    assert made["KeyId"] == arn(key) and made["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"])
    assert opened["Plaintext"] == b"secret" and opened["KeyId"] == arn(key)
    assert kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"] != made["CiphertextBlob"]
    big = kms.encrypt(KeyId=key, Plaintext=b"x" * 4096)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=big, KeyId=key)["Plaintext"] == b"x" * 4096
    assert code(kms.encrypt, KeyId=key, Plaintext=b"x" * 4097) == "ValidationException"
    assert code(kms.encrypt, KeyId=key, Plaintext=b"") == "ValidationException"


def test_ciphertexts_are_authenticated(kms, key):
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    for at in range(len(blob)):
        bent = bytearray(blob)
        bent[at] ^= 1
        assert code(kms.decrypt, CiphertextBlob=bytes(bent)) in (
            "InvalidCiphertextException", "AccessDeniedException"), at  # the second: it names another key
    for cut in (blob[:-1], blob[:20], b"x", blob + b"x"):
        assert code(kms.decrypt, CiphertextBlob=cut) == "InvalidCiphertextException"


def test_encryption_context(kms, key):
    context = {"bucket": "b", "object": "o", "ü": "ä"}
    blob = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=dict(reversed(context.items())))["Plaintext"] == b"x"
    for other in ({}, {"bucket": "b"}, {**context, "more": "m"}, {**context, "bucket": "B"}, {"bucketb": "", "object": "o", "ü": "ä"}):
        assert code(kms.decrypt, CiphertextBlob=blob, EncryptionContext=other) == "InvalidCiphertextException"
    assert code(kms.encrypt, KeyId=key, Plaintext=b"x", EncryptionContext={"k": "v" * 8192}) == "ValidationException"
    kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"k": "v" * 8191})


def test_re_encrypt(kms, key, rsa_key):
    other = make(kms)
    blob = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "1"})["CiphertextBlob"]
    moved = kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext={"a": "1"}, DestinationKeyId=other,
                           DestinationEncryptionContext={"b": "2"})
    assert moved["SourceKeyId"] == arn(key) and moved["KeyId"] == arn(other)
    opened = kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"b": "2"})
    assert opened["Plaintext"] == b"x" and opened["KeyId"] == arn(other)
    assert code(kms.re_encrypt, CiphertextBlob=blob, DestinationKeyId=other) == "InvalidCiphertextException"
    assert code(kms.re_encrypt, CiphertextBlob=blob, SourceKeyId=other, DestinationKeyId=other) == "IncorrectKeyException"
    plain = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    across = kms.re_encrypt(CiphertextBlob=plain, DestinationKeyId=rsa_key, DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_256")
    back = kms.re_encrypt(CiphertextBlob=across["CiphertextBlob"], SourceKeyId=rsa_key, SourceEncryptionAlgorithm="RSAES_OAEP_SHA_256",
                          DestinationKeyId=key)
    assert kms.decrypt(CiphertextBlob=back["CiphertextBlob"])["Plaintext"] == b"x"


def test_data_keys(kms, key, rsa_key):
    for asked, size in (({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 1024}, 1024)):
        made = kms.generate_data_key(KeyId=key, EncryptionContext={"a": "b"}, **asked)
        assert len(made["Plaintext"]) == size
        assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "b"})["Plaintext"] == made["Plaintext"]
        blind = kms.generate_data_key_without_plaintext(KeyId=key, **asked)
        assert "Plaintext" not in blind and len(kms.decrypt(CiphertextBlob=blind["CiphertextBlob"])["Plaintext"]) == size
    for asked in ({}, {"KeySpec": "AES_256", "NumberOfBytes": 32}, {"NumberOfBytes": 1025}, {"NumberOfBytes": 0}):
        assert code(kms.generate_data_key, KeyId=key, **asked) == "ValidationException"
    assert code(kms.generate_data_key, KeyId=rsa_key, KeySpec="AES_256") == "InvalidKeyUsageException"


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_SECG_P256K1"])
def test_data_key_pairs(kms, key, spec):
    made = kms.generate_data_key_pair(KeyId=key, KeyPairSpec=spec, EncryptionContext={"a": "b"})
    private = serialization.load_der_private_key(made["PrivateKeyPlaintext"], None)
    public = private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert made["PublicKey"] == public and made["KeyPairSpec"] == spec
    opened = kms.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"], EncryptionContext={"a": "b"})
    assert opened["Plaintext"] == made["PrivateKeyPlaintext"]
    blind = kms.generate_data_key_pair_without_plaintext(KeyId=key, KeyPairSpec=spec)
    assert "PrivateKeyPlaintext" not in blind and blind["PublicKey"] != public


def test_random(kms):
    assert len(kms.generate_random(NumberOfBytes=1024)["Plaintext"]) == 1024
    assert kms.generate_random(NumberOfBytes=32)["Plaintext"] != kms.generate_random(NumberOfBytes=32)["Plaintext"]
    assert code(kms.generate_random) == "ValidationException"
    assert code(kms.generate_random, NumberOfBytes=1025) == "ValidationException"


# --- pairs and MACs ----------------------------------------------------------------------------------------------


def public_of(kms, key):
    return serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])


@pytest.mark.parametrize("algorithm, digest", [("RSAES_OAEP_SHA_1", hashes.SHA1()), ("RSAES_OAEP_SHA_256", hashes.SHA256())])
def test_rsa_encryption(kms, rsa_key, algorithm, digest):
    blob = public_of(kms, rsa_key).encrypt(b"from outside", padding.OAEP(padding.MGF1(digest), digest, None))
    assert kms.decrypt(KeyId=rsa_key, CiphertextBlob=blob, EncryptionAlgorithm=algorithm)["Plaintext"] == b"from outside"
    own = kms.encrypt(KeyId=rsa_key, Plaintext=b"own", EncryptionAlgorithm=algorithm)["CiphertextBlob"]
    assert kms.decrypt(KeyId=rsa_key, CiphertextBlob=own, EncryptionAlgorithm=algorithm)["Plaintext"] == b"own"
    assert code(kms.decrypt, KeyId=rsa_key, CiphertextBlob=b"x" * 256, EncryptionAlgorithm=algorithm) == "InvalidCiphertextException"


def test_rsa_refuses(kms, rsa_key, key):
    oaep = {"EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    assert code(kms.encrypt, KeyId=rsa_key, Plaintext=b"x" * 191, **oaep) == "ValidationException"
    kms.encrypt(KeyId=rsa_key, Plaintext=b"x" * 190, **oaep)
    assert code(kms.encrypt, KeyId=rsa_key, Plaintext=b"x", EncryptionContext={"a": "b"}, **oaep) == "ValidationException"
    assert code(kms.encrypt, KeyId=rsa_key, Plaintext=b"x") == "InvalidKeyUsageException"
    assert code(kms.encrypt, KeyId=key, Plaintext=b"x", **oaep) == "InvalidKeyUsageException"
    assert code(kms.decrypt, CiphertextBlob=b"x" * 256, **oaep) in ("ValidationException", "InvalidCiphertextException")
    assert code(kms.sign, KeyId=rsa_key, Message=b"x", SigningAlgorithm="RSASSA_PSS_SHA_256") == "InvalidKeyUsageException"


@pytest.fixture(scope="module")
def rsa_signer(kms):
    return make(kms, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")


def check_rsa(public, algorithm, signature, text):
    digest = getattr(hashes, "SHA" + algorithm[-3:])()
    pad = padding.PKCS1v15() if "PKCS1" in algorithm else padding.PSS(padding.MGF1(digest), digest.digest_size)
    public.verify(signature, text, pad, digest)


@pytest.mark.parametrize("algorithm", [f"RSASSA_{p}_SHA_{n}" for p in ("PSS", "PKCS1_V1_5") for n in (256, 384, 512)])
def test_rsa_signatures(kms, rsa_signer, algorithm):
    signed = kms.sign(KeyId=rsa_signer, Message=b"text", SigningAlgorithm=algorithm)
    assert signed["KeyId"] == arn(rsa_signer) and signed["SigningAlgorithm"] == algorithm
    check_rsa(public_of(kms, rsa_signer), algorithm, signed["Signature"], b"text")
    asked = {"KeyId": rsa_signer, "SigningAlgorithm": algorithm}
    assert kms.verify(Message=b"text", Signature=signed["Signature"], **asked)["SignatureValid"] is True
    digest = hashlib.new("sha" + algorithm[-3:], b"text").digest()
    by_digest = kms.sign(Message=digest, MessageType="DIGEST", **asked)["Signature"]
    assert kms.verify(Message=b"text", Signature=by_digest, **asked)["SignatureValid"]
    assert code(kms.verify, Message=b"other", Signature=signed["Signature"], **asked) == "KMSInvalidSignatureException"
    assert code(kms.verify, Message=b"text", Signature=b"x", **asked) == "KMSInvalidSignatureException"
    assert code(kms.sign, Message=b"text", MessageType="DIGEST", **asked) == "ValidationException"


@pytest.mark.parametrize("spec, bits", [("ECC_NIST_P256", 256), ("ECC_NIST_P384", 384), ("ECC_NIST_P521", 512), ("ECC_SECG_P256K1", 256)])
def test_ecdsa(kms, spec, bits):
    key = make(kms, KeySpec=spec, KeyUsage="SIGN_VERIFY")
    asked = {"KeyId": key, "SigningAlgorithm": f"ECDSA_SHA_{bits}"}
    signature = kms.sign(Message=b"text", **asked)["Signature"]
    digest = getattr(hashes, f"SHA{bits}")()
    public_of(kms, key).verify(signature, b"text", ec.ECDSA(digest))
    assert kms.verify(Message=hashlib.new(f"sha{bits}", b"text").digest(), MessageType="DIGEST", Signature=signature, **asked)["SignatureValid"]
    assert code(kms.verify, Message=b"texT", Signature=signature, **asked) == "KMSInvalidSignatureException"
    wrong = "ECDSA_SHA_384" if bits != 384 else "ECDSA_SHA_256"
    assert code(kms.sign, KeyId=key, Message=b"text", SigningAlgorithm=wrong) == "InvalidKeyUsageException"
    shown = kms.get_public_key(KeyId=key)
    assert shown["SigningAlgorithms"] == [f"ECDSA_SHA_{bits}"] and shown["KeySpec"] == spec
    assert utils.decode_dss_signature(signature)


@pytest.mark.parametrize("bits", [224, 256, 384, 512])
def test_macs(kms, bits):
    key = make(kms, KeySpec=f"HMAC_{bits}", KeyUsage="GENERATE_VERIFY_MAC")
    asked = {"KeyId": key, "MacAlgorithm": f"HMAC_SHA_{bits}"}
    made = kms.generate_mac(Message=b"text", **asked)
    assert len(made["Mac"]) == bits // 8 and made["KeyId"] == arn(key)
    assert kms.verify_mac(Message=b"text", Mac=made["Mac"], **asked)["MacValid"] is True
    assert code(kms.verify_mac, Message=b"texT", Mac=made["Mac"], **asked) == "KMSInvalidMacException"
    assert code(kms.verify_mac, Message=b"text", Mac=made["Mac"][:-1], **asked) == "KMSInvalidMacException"
    assert code(kms.get_public_key, KeyId=key) == "UnsupportedOperationException"
    assert code(kms.generate_mac, KeyId=key, Message=b"x", MacAlgorithm=f"HMAC_SHA_{512 if bits != 512 else 256}") == "InvalidKeyUsageException"
    assert code(kms.encrypt, KeyId=key, Plaintext=b"x") == "InvalidKeyUsageException"


def test_key_agreement(kms):
    key = make(kms, KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")
    mine = ec.generate_private_key(ec.SECP256R1())
    der = mine.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    told = kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=der)
    assert told["SharedSecret"] == mine.exchange(ec.ECDH(), public_of(kms, key)) and told["KeyOrigin"] == "AWS_KMS"
    other = ec.generate_private_key(ec.SECP384R1()).public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    for bad in (other, der[:-1], b"x"):
        assert code(kms.derive_shared_secret, KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=bad) == "ValidationException"


# --- policies ----------------------------------------------------------------------------------------------------


def test_default_policy(kms, key):
    told = kms.get_key_policy(KeyId=key, PolicyName="default")
    policy = json.loads(told["Policy"])
    assert told["PolicyName"] == "default" and policy["Id"] == "key-default-1"
    assert policy["Statement"][0]["Principal"] == {"AWS": ROOT_ARN} and policy["Statement"][0]["Action"] == "kms:*"
    assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]
    assert code(kms.get_key_policy, KeyId=key, PolicyName="other") == "NotFoundException"


def test_policy_rules(weir, current, kms):
    """An identity policy counts only where the key policy leaves it to the account."""
    person, other = Person(weir).may(statement(action="kms:*")), Person(weir)
    theirs, others = current(weir, **person.key), current(weir, **other.key)
    key = make(kms)
    assert theirs.encrypt(KeyId=key, Plaintext=b"x")["KeyId"] == arn(key)
    assert code(others.encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"
    admin = statement(action=["kms:PutKeyPolicy", "kms:GetKeyPolicy"], Principal={"AWS": ROOT_ARN})
    kms.put_key_policy(KeyId=key, Policy=document(admin, statement(action="kms:Encrypt", Principal={"AWS": other.arn})))
    assert code(theirs.encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"
    assert others.encrypt(KeyId=key, Plaintext=b"x")["KeyId"] == arn(key)
    assert code(kms.encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"  # root is not above it
    assert json.loads(kms.get_key_policy(KeyId=key)["Policy"])["Statement"][1]["Principal"] == {"AWS": other.arn}
    own = document(statement(action="kms:*", Principal={"AWS": other.arn}))
    assert code(kms.put_key_policy, KeyId=key, Policy=own) == "MalformedPolicyDocumentException"  # locks its author out
    kms.put_key_policy(KeyId=key, Policy=own, BypassPolicyLockoutSafetyCheck=True)
    assert code(kms.get_key_policy, KeyId=key) == "AccessDeniedException"
    assert others.describe_key(KeyId=key)
    deny = document(statement(action="kms:*", Principal={"AWS": ROOT_ARN}), statement("Deny", "kms:Encrypt", Principal="*"))
    others.put_key_policy(KeyId=key, Policy=deny, BypassPolicyLockoutSafetyCheck=True)
    assert code(theirs.encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"
    person.remove()
    other.remove()


def test_decrypt_asks_about_the_key_of_the_ciphertext(weir, current, kms):
    one, two = make(kms), make(kms)
    person = Person(weir).may(statement(action="kms:Decrypt", resource=arn(one)))
    theirs = current(weir, **person.key)
    blobs = [kms.encrypt(KeyId=k, Plaintext=b"x")["CiphertextBlob"] for k in (one, two)]
    assert theirs.decrypt(CiphertextBlob=blobs[0])["Plaintext"] == b"x"
    assert code(theirs.decrypt, CiphertextBlob=blobs[1]) == "AccessDeniedException"
    assert code(theirs.decrypt, CiphertextBlob=blobs[1], KeyId=one) == "IncorrectKeyException"
    assert code(theirs.re_encrypt, CiphertextBlob=blobs[0], DestinationKeyId=one) == "AccessDeniedException"
    person.may(statement(action="kms:ReEncryptFrom", resource=arn(one)), statement(action="kms:ReEncryptTo", resource=arn(two)))
    assert theirs.re_encrypt(CiphertextBlob=blobs[0], DestinationKeyId=two)["KeyId"] == arn(two)
    assert code(theirs.re_encrypt, CiphertextBlob=blobs[1], DestinationKeyId=two) == "AccessDeniedException"
    person.remove()


def test_context_conditions(weir, current, kms):
    key = make(kms)
    person = Person(weir).may(statement(action="kms:*", Condition={"StringEquals": {"kms:EncryptionContext:team": "red"}}))
    theirs = current(weir, **person.key)
    assert theirs.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"team": "red"})
    for context in ({}, {"team": "blue"}, {"Team ": "red"}):
        assert code(theirs.encrypt, KeyId=key, Plaintext=b"x", EncryptionContext=context) == "AccessDeniedException"
    person.may(statement(action="kms:*", Condition={"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["a"]}}))
    assert theirs.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext={"a": "1"})
    assert code(theirs.generate_data_key, KeyId=key, KeySpec="AES_256", EncryptionContext={"b": "1"}) == "AccessDeniedException"
    person.remove()


def test_alias_permissions(weir, current, kms):
    one, two = make(kms), make(kms)
    person = Person(weir).may(statement(action="kms:*Alias", resource=[arn(one), f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/theirs"]))
    theirs = current(weir, **person.key)
    assert code(theirs.create_alias, AliasName="alias/theirs", TargetKeyId=two) == "AccessDeniedException"
    assert code(theirs.create_alias, AliasName="alias/mine", TargetKeyId=one) == "AccessDeniedException"
    theirs.create_alias(AliasName="alias/theirs", TargetKeyId=one)
    assert code(theirs.update_alias, AliasName="alias/theirs", TargetKeyId=two) == "AccessDeniedException"
    kms.update_alias(AliasName="alias/theirs", TargetKeyId=two)
    assert code(theirs.update_alias, AliasName="alias/theirs", TargetKeyId=one) == "AccessDeniedException"
    assert code(theirs.delete_alias, AliasName="alias/theirs") == "AccessDeniedException"
    person.remove()


# --- grants ------------------------------------------------------------------------------------------------------


def test_grants(weir, current, kms):
    key = make(kms)
    person = Person(weir)
    theirs = current(weir, **person.key)
    assert code(theirs.encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"
    made = kms.create_grant(KeyId=key, GranteePrincipal=person.arn, Operations=["Encrypt", "DescribeKey"], Name="one")
    blob = theirs.encrypt(KeyId=key, Plaintext=b"x", GrantTokens=[made["GrantToken"]])["CiphertextBlob"]
    assert theirs.describe_key(KeyId=key)
    assert code(theirs.decrypt, CiphertextBlob=blob) == "AccessDeniedException"
    assert code(theirs.encrypt, KeyId=key, Plaintext=b"x", GrantTokens=["bent"]) == "InvalidGrantTokenException"
    again = kms.create_grant(KeyId=key, GranteePrincipal=person.arn, Operations=["Encrypt", "DescribeKey"], Name="one")
    assert again["GrantId"] == made["GrantId"]
    (shown,) = kms.list_grants(KeyId=key)["Grants"]
    assert (shown["GrantId"], shown["GranteePrincipal"], shown["Name"], shown["KeyId"], shown["IssuingAccount"]) == (
        made["GrantId"], person.arn, "one", arn(key), ROOT_ARN)
    assert sorted(shown["Operations"]) == ["DescribeKey", "Encrypt"] and "Constraints" not in shown
    kms.revoke_grant(KeyId=key, GrantId=made["GrantId"])
    assert code(theirs.encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"
    assert code(kms.revoke_grant, KeyId=key, GrantId=made["GrantId"]) == "NotFoundException"
    person.remove()


def test_a_deny_is_above_grants(weir, current, kms):
    key = make(kms)
    person = Person(weir).may(statement("Deny", "kms:Encrypt"))
    kms.create_grant(KeyId=key, GranteePrincipal=person.arn, Operations=["Encrypt"])
    assert code(current(weir, **person.key).encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"
    person.remove()


@pytest.mark.parametrize("constraint, fits, does_not", [
    ("EncryptionContextSubset", [{"a": "1"}, {"a": "1", "b": "2"}], [{}, {"a": "2"}, {"b": "1"}]),
    ("EncryptionContextEquals", [{"a": "1"}], [{}, {"a": "2"}, {"a": "1", "b": "2"}])])
def test_grant_constraints(weir, current, kms, constraint, fits, does_not):
    key = make(kms)
    person = Person(weir)
    theirs = current(weir, **person.key)
    other = ({"EncryptionContextSubset", "EncryptionContextEquals"} - {constraint}).pop()
    kms.create_grant(KeyId=key, GranteePrincipal=person.arn, Operations=["GenerateDataKey"], Constraints={constraint: {"a": "1"}, other: {}})
    assert kms.list_grants(KeyId=key)["Grants"][0]["Constraints"] == {constraint: {"a": "1"}}
    for context in fits:
        assert theirs.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=context)
    for context in does_not:
        assert code(theirs.generate_data_key, KeyId=key, KeySpec="AES_256", EncryptionContext=context) == "AccessDeniedException"
    person.remove()


def test_grants_of_grants(weir, current, kms):
    key = make(kms)
    person, third = Person(weir), Person(weir)
    theirs = current(weir, **person.key)
    kms.create_grant(KeyId=key, GranteePrincipal=person.arn, Operations=["Encrypt", "CreateGrant"])
    assert code(theirs.create_grant, KeyId=key, GranteePrincipal=third.arn, Operations=["Encrypt", "Decrypt"]) == "AccessDeniedException"
    theirs.create_grant(KeyId=key, GranteePrincipal=third.arn, Operations=["Encrypt"])
    assert current(weir, **third.key).encrypt(KeyId=key, Plaintext=b"x")
    person.remove()
    third.remove()


def test_retiring(weir, current, kms):
    key = make(kms)
    person, other = Person(weir), Person(weir)
    made = [kms.create_grant(KeyId=key, GranteePrincipal=other.arn, RetiringPrincipal=person.arn, Operations=["Encrypt"]) for _ in range(3)]
    retirable = kms.list_retirable_grants(RetiringPrincipal=person.arn, Limit=2)
    assert len(retirable["Grants"]) == 2 and retirable["Truncated"]
    rest = kms.list_retirable_grants(RetiringPrincipal=person.arn, Marker=retirable["NextMarker"])
    assert {g["GrantId"] for g in retirable["Grants"] + rest["Grants"]} == {m["GrantId"] for m in made}
    assert code(current(weir, **other.key).retire_grant, GrantToken=made[0]["GrantToken"]) == "AccessDeniedException"
    current(weir, **person.key).retire_grant(GrantToken=made[0]["GrantToken"])
    current(weir, **person.key).retire_grant(KeyId=arn(key), GrantId=made[1]["GrantId"])
    kms.retire_grant(KeyId=arn(key), GrantId=made[2]["GrantId"])
    assert kms.list_grants(KeyId=key)["Grants"] == []
    assert code(kms.retire_grant, GrantToken=made[0]["GrantToken"]) == "NotFoundException"
    assert code(kms.retire_grant, GrantToken="bent") == "InvalidGrantTokenException"
    assert code(kms.retire_grant) == "ValidationException"
    own = kms.create_grant(KeyId=key, GranteePrincipal=other.arn, Operations=["RetireGrant"])
    current(weir, **other.key).retire_grant(GrantToken=own["GrantToken"])
    person.remove()
    other.remove()


@pytest.mark.parametrize("asked, error", [
    ({"GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:user/absent"}, "InvalidArnException"),
    ({"GranteePrincipal": "nonsense"}, "InvalidArnException"),
    ({"Operations": []}, "ValidationException"),
    ({"Operations": ["Sign"]}, "ValidationException"),
    ({"Operations": ["Fly"]}, "ValidationException"),
    ({"Constraints": {"EncryptionContextSubset": {"a": "b"}, "EncryptionContextEquals": {"a": "b"}}}, "ValidationException"),
    ({"GrantTokens": ["bent"]}, "InvalidGrantTokenException"),
    ({"KeyId": GONE}, "NotFoundException"),
])
def test_bad_grants(kms, key, asked, error):
    good = {"KeyId": key, "GranteePrincipal": ROOT_ARN, "Operations": ["Encrypt"]}
    assert code(kms.create_grant, **{**good, **asked}) == error


def test_grants_for_roles_and_services(weir, current, kms):
    iam = weir.client("iam")
    role = iam.create_role(RoleName="grantee", AssumeRolePolicyDocument=document(
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}))["Role"]["Arn"]
    key = make(kms)
    kms.create_grant(KeyId=key, GranteePrincipal=role, Operations=["Encrypt"])
    kms.create_grant(KeyId=key, GranteePrincipal="lambda.amazonaws.com", Operations=["Decrypt"])
    session = Person(weir).may(statement(action="sts:*")).client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    theirs = current(weir, key=session["AccessKeyId"], secret=session["SecretAccessKey"], token=session["SessionToken"])
    assert theirs.encrypt(KeyId=key, Plaintext=b"x")
    assert [g["GranteePrincipal"] for g in kms.list_grants(KeyId=key, GranteePrincipal=role)["Grants"]] == [role]
    assert {g["GranteePrincipal"] for g in kms.list_grants(KeyId=key)["Grants"]} == {role, "lambda.amazonaws.com"}
    iam.delete_role(RoleName="grantee")
    iam.create_role(RoleName="grantee", AssumeRolePolicyDocument=document(
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}))
    assert kms.list_grants(KeyId=key, GranteePrincipal=role)["Grants"] == []  # another role of the same name


# --- dry runs ----------------------------------------------------------------------------------------------------


def test_dry_runs(kms, key):
    dry = {"DryRun": True}
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    grants = len(kms.list_grants(KeyId=key)["Grants"])
    for call, more in ((kms.encrypt, {"KeyId": key, "Plaintext": b"x"}), (kms.decrypt, {"CiphertextBlob": blob}),
                       (kms.re_encrypt, {"CiphertextBlob": blob, "DestinationKeyId": key}),
                       (kms.generate_data_key, {"KeyId": key, "KeySpec": "AES_256"}),
                       (kms.generate_data_key_without_plaintext, {"KeyId": key, "KeySpec": "AES_256"}),
                       (kms.generate_data_key_pair, {"KeyId": key, "KeyPairSpec": "ECC_NIST_P256"}),
                       (kms.create_grant, {"KeyId": key, "GranteePrincipal": ROOT_ARN, "Operations": ["Encrypt"]})):
        assert code(call, **more, **dry) == "DryRunOperationException"
    assert len(kms.list_grants(KeyId=key)["Grants"]) == grants
    assert code(kms.decrypt, CiphertextBlob=blob[:-1], **dry) == "InvalidCiphertextException"
    assert code(kms.encrypt, KeyId=GONE, Plaintext=b"x", **dry) == "NotFoundException"


# --- rotation ----------------------------------------------------------------------------------------------------


def test_rotation(kms, rsa_key):
    key = make(kms)
    first = kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"old")["CiphertextBlob"]
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
    status = kms.get_key_rotation_status(KeyId=key)
    assert status["KeyRotationEnabled"] and status["RotationPeriodInDays"] == 180
    assert (status["NextRotationDate"].date() - datetime.datetime.now(datetime.timezone.utc).date()).days == 180
    kms.disable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    assert kms.list_key_rotations(KeyId=key)["Rotations"] == []
    assert kms.rotate_key_on_demand(KeyId=key)["KeyId"] == arn(key)
    (rotation,) = kms.list_key_rotations(KeyId=key)["Rotations"]
    assert rotation["RotationType"] == "ON_DEMAND" and rotation["KeyMaterialState"] == "CURRENT"
    everything = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [r["KeyMaterialId"] for r in everything] == [first, rotation["KeyMaterialId"]]
    opened = kms.decrypt(CiphertextBlob=blob)
    assert opened["Plaintext"] == b"old" and opened["KeyMaterialId"] == first
    fresh = kms.encrypt(KeyId=key, Plaintext=b"new")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=fresh)["KeyMaterialId"] == rotation["KeyMaterialId"]
    for _ in range(24):
        kms.rotate_key_on_demand(KeyId=key)
    assert code(kms.rotate_key_on_demand, KeyId=key) == "LimitExceededException"
    pages = list(paginator(kms, "list_key_rotations").paginate(KeyId=key, PaginationConfig={"PageSize": 10}))
    assert [len(p["Rotations"]) for p in pages] == [10, 10, 5]
    for call in (kms.enable_key_rotation, kms.rotate_key_on_demand, kms.list_key_rotations):
        assert code(call, KeyId=rsa_key) == "UnsupportedOperationException"
    assert code(kms.enable_key_rotation, KeyId=key, RotationPeriodInDays=89) == "ValidationException"


# --- imported material -------------------------------------------------------------------------------------------


def wrap(parameters, algorithm, material):
    public = serialization.load_der_public_key(parameters["PublicKey"])
    digest = hashes.SHA1() if algorithm.endswith("SHA_1") else hashes.SHA256()
    oaep = padding.OAEP(padding.MGF1(digest), digest, None)
    if algorithm.startswith("RSAES"):
        return public.encrypt(material, oaep)
    aes = os.urandom(32)
    return public.encrypt(aes, oaep) + keywrap.aes_key_wrap_with_padding(aes, material)


def bring(kms, key, material, algorithm="RSAES_OAEP_SHA_256", parameters=None, **more):
    parameters = parameters or kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_2048")
    more.setdefault("ExpirationModel", "KEY_MATERIAL_DOES_NOT_EXPIRE")
    return kms.import_key_material(KeyId=key, ImportToken=parameters["ImportToken"],
                                   EncryptedKeyMaterial=wrap(parameters, algorithm, material), **more)


def test_import(kms):
    material = os.urandom(32)
    key = make(kms, Origin="EXTERNAL")
    shown = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert shown["KeyState"] == "PendingImport" and shown["Origin"] == "EXTERNAL" and not shown["Enabled"]
    assert code(kms.encrypt, KeyId=key, Plaintext=b"x") == "KMSInvalidStateException"
    assert code(kms.enable_key, KeyId=key) == "KMSInvalidStateException"
    parameters = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048")
    made = bring(kms, key, material, parameters=parameters)
    shown = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert shown["KeyState"] == "Enabled" and shown["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"
    assert shown["CurrentKeyMaterialId"] == made["KeyMaterialId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.delete_imported_key_material(KeyId=key)
    kms.delete_imported_key_material(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingImport"
    assert code(kms.decrypt, CiphertextBlob=blob) == "KMSInvalidStateException"
    assert code(bring, kms=kms, key=key, material=os.urandom(32), parameters=parameters) == "IncorrectKeyMaterialException"
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)
    bring(kms, key, material, "RSAES_OAEP_SHA_1", ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=later)
    shown = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert shown["ExpirationModel"] == "KEY_MATERIAL_EXPIRES" and abs(shown["ValidTo"] - later) < datetime.timedelta(seconds=2)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert code(kms.enable_key_rotation, KeyId=key) == "UnsupportedOperationException"


def test_import_of_other_kinds(kms):
    pair = rsa.generate_private_key(65537, 2048)
    der = pair.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key = make(kms, Origin="EXTERNAL", KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    bring(kms, key, der, "RSA_AES_KEY_WRAP_SHA_256")
    signature = kms.sign(KeyId=key, Message=b"x", SigningAlgorithm="RSASSA_PSS_SHA_256")["Signature"]
    check_rsa(pair.public_key(), "RSASSA_PSS_SHA_256", signature, b"x")
    secret = os.urandom(40)
    mac = make(kms, Origin="EXTERNAL", KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    bring(kms, mac, secret, "RSA_AES_KEY_WRAP_SHA_1")
    assert kms.generate_mac(KeyId=mac, Message=b"x", MacAlgorithm="HMAC_SHA_256")["Mac"] == hmac.new(secret, b"x", "sha256").digest()


def test_bad_imports(kms, key):
    external, other = make(kms, Origin="EXTERNAL"), make(kms, Origin="EXTERNAL")
    assert code(kms.get_parameters_for_import, KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048") == \
        "UnsupportedOperationException"
    parameters = kms.get_parameters_for_import(KeyId=external, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048")
    asked = {"kms": kms, "key": external, "parameters": parameters}
    assert code(bring, material=os.urandom(16), **asked) == "IncorrectKeyMaterialException"
    assert code(bring, **{**asked, "key": other}, material=os.urandom(32)) == "InvalidImportTokenException"
    bent = {**parameters, "ImportToken": parameters["ImportToken"][:-1] + b"x"}
    assert code(bring, **{**asked, "parameters": bent}, material=os.urandom(32)) == "InvalidImportTokenException"
    assert code(bring, material=os.urandom(32), ExpirationModel="KEY_MATERIAL_EXPIRES", **asked) == "ValidationException"
    past = datetime.datetime(2020, 1, 1)
    assert code(bring, material=os.urandom(32), ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=past, **asked) == "ValidationException"
    assert code(kms.import_key_material, KeyId=external, ImportToken=parameters["ImportToken"], EncryptedKeyMaterial=b"x" * 256,
                ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE") == "InvalidCiphertextException"
    assert kms.describe_key(KeyId=external)["KeyMetadata"]["KeyState"] == "PendingImport"


# --- at rest -----------------------------------------------------------------------------------------------------


def files(folder):
    for base, _, names in os.walk(folder):
        for name in names:
            if os.path.islink(os.path.join(base, name)):
                continue
            with open(os.path.join(base, name), "rb") as f:
                yield name, f.read()


def test_restart_and_secrecy(fresh_weir, current):
    """Ciphertexts outlive the process, and the store holds no material in the clear: of an imported key, whose bytes are known."""
    kms = current(fresh_weir)
    material = os.urandom(32)
    key = make(kms, Origin="EXTERNAL")
    bring(kms, key, material)
    pair = make(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    signature = kms.sign(KeyId=pair, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"plain text of a test", EncryptionContext={"a": "b"})["CiphertextBlob"]
    fresh_weir.restart()
    kms = current(fresh_weir)
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})["Plaintext"] == b"plain text of a test"
    assert kms.verify(KeyId=pair, Message=b"x", Signature=signature, SigningAlgorithm="ECDSA_SHA_256")["SignatureValid"]
    assert kms.sign(KeyId=pair, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")
    fresh_weir.terminate()
    looked = 0
    for name, data in [*files(fresh_weir.data_dir), ("log", fresh_weir.log_text().encode())]:
        looked += len(data)
        for secret in (material, material[:16], base64.b64encode(material), material.hex().encode(), b"plain text of a test"):
            assert secret not in data, name
    assert looked > 1000
    fresh_weir.start()


# --- what other services do with keys ------------------------------------------------------------------------------


def test_functions_log_into_a_group_with_a_key(weir, kms):
    """Also while the key is disabled: then the lines are lost, and nothing else is."""
    from test_lambda import Stage
    from test_logs import key_for_logs
    logs, client = weir.client("logs"), weir.client("lambda")
    key = key_for_logs(kms)
    function = Stage(weir).function()
    group = f"/aws/lambda/{function}"
    logs.create_log_group(logGroupName=group, kmsKeyId=key)

    def lines(event):
        client.invoke(FunctionName=function, Payload=json.dumps(event))
        return [e["message"] for e in logs.filter_log_events(logGroupName=group)["events"] if "REPORT" in e["message"]]

    wait_for(lambda: lines({}), what="lines of the function")
    kms.disable_key(KeyId=key)
    assert client.invoke(FunctionName=function, Payload=b"{}")["StatusCode"] == 200
    kms.enable_key(KeyId=key)
    assert wait_for(lambda: lines({}), what="lines of the function")


# --- the AWS CLI -------------------------------------------------------------------------------------------------


def test_cli(weir, kms, key, tmp_path):
    clis = find_clis()
    if not clis:
        pytest.skip("no AWS CLI")
    aws = clis[max(clis)]

    def run(*args):
        done = subprocess.run([aws, "--endpoint-url", weir.endpoint, "kms", *args, "--output", "json"], env=weir.cli_env(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}

    plain = tmp_path / "plain"
    plain.write_bytes(b"from the cli")
    blob = run("encrypt", "--key-id", key, "--plaintext", f"fileb://{plain}", "--encryption-context", "a=b")["CiphertextBlob"]
    cipher = tmp_path / "cipher"
    cipher.write_bytes(base64.b64decode(blob))
    opened = run("decrypt", "--ciphertext-blob", f"fileb://{cipher}", "--encryption-context", "a=b")
    assert base64.b64decode(opened["Plaintext"]) == b"from the cli"
    assert opened["KeyId"] == arn(key)
