// HMAC-SHA-256 by libcrypto, for `auth_hmac` only: a vrrpd without such an instance does not load the library. Nothing is allocated.

import CCrypto

/// HMAC-SHA-256.
enum KeyedSHA256 {
    /// Writes the 32 octets over the first ones of `digest`; false where libcrypto is missing.
    static func digest(key: [UInt8], message: [UInt8], into digest: inout [UInt8]) -> Bool {
        guard digest.count >= Int(EK_HMAC_SHA256_LENGTH) else { return false }
        return ek_hmac_sha256(key, key.count, message, message.count, &digest) == 1
    }

    /// Loads the library now, so that the first advertisement does not wait for the disk.
    static func prepare() {
        var digest = [UInt8](repeating: 0, count: Int(EK_HMAC_SHA256_LENGTH))
        _ = self.digest(key: [0], message: [], into: &digest)
    }
}
