# SPDX-License-Identifier: Apache-2.0
"""JWS in compact serialization by the openssl command: for tests, and to show that a webhook needs no more than that."""
import base64
import json
import os
import subprocess

KINDS = {"EdDSA": ["-algorithm", "ed25519"], "ES256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
         "RS256": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]}


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


def raw_from_der(der):
    """r and s of a DER signature (RFC 3279 section 2.2.3), each in 32 bytes (RFC 7518 section 3.4)."""
    raw, rest = b"", der[2:]
    for _ in range(2):
        length = rest[1]
        raw += rest[2:2 + length].lstrip(b"\0").rjust(32, b"\0")
        rest = rest[2 + length:]
    return raw


class Key:
    def __init__(self, folder, algorithm, name=None):
        self.algorithm, self.kid = algorithm, name or algorithm.lower()
        self.path = os.path.join(folder, self.kid + ".pem")
        if not os.path.exists(self.path):
            openssl("genpkey", *KINDS[algorithm], "-out", self.path)

    def jwk(self):
        der = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")
        if self.algorithm == "EdDSA":
            members = {"kty": "OKP", "crv": "Ed25519", "x": encode(der[-32:])}
        elif self.algorithm == "ES256":
            members = {"kty": "EC", "crv": "P-256", "x": encode(der[-64:-32]), "y": encode(der[-32:])}
        else:
            modulus = openssl("rsa", "-in", self.path, "-noout", "-modulus").decode().strip().partition("=")[2]
            members = {"kty": "RSA", "n": encode(bytes.fromhex(modulus)), "e": "AQAB"}
        return {**members, "kid": self.kid, "alg": self.algorithm, "use": "sig"}

    def sign(self, payload, **header):
        """header: members besides alg and kid, or in their place; None: without it."""
        members = {"alg": self.algorithm, "kid": self.kid, **header}
        text = ".".join(encode(json.dumps(part).encode())
                        for part in ({k: v for k, v in members.items() if v is not None}, payload))
        if self.algorithm == "EdDSA":  # one shot only: it takes a file
            path = f"{self.path}.{os.getpid()}.text"
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
            signature = openssl("pkeyutl", "-sign", "-inkey", self.path, "-rawin", "-in", path)
            os.unlink(path)
        else:
            signature = openssl("dgst", "-sha256", "-sign", self.path, data=text.encode())
            if self.algorithm == "ES256":
                signature = raw_from_der(signature)
        return f"{text}.{encode(signature)}"
