// Finds the row of a keyword by its bytes, for every line of a file: a table of its own, because a dictionary would want a string of each
// word and hash it at length.

/// The words of a block's grammar.
final class WordIndex: Sendable {
    /// Rows by the hash of their word, -1 = free; a taken place sends on to the next.
    private let slots: [Int16]
    private let words: [[UInt8]]
    /// The kind of block that each row opens.
    let children: [BlockKind?]

    /// Of several rows of one word the first counts.
    init(_ rows: [KeywordTable.Entry]) {
        words = rows.map { Array($0.word.utf8) }
        children = rows.map(\.child)
        var size = 16
        while size < 2 * rows.count { size *= 2 }
        var slots = [Int16](repeating: -1, count: size)
        for (row, word) in words.enumerated() {
            var slot = word.withUnsafeBufferPointer { Self.hash($0) } & (size - 1)
            while slots[slot] >= 0, words[Int(slots[slot])] != word { slot = (slot + 1) & (size - 1) }
            if slots[slot] < 0 { slots[slot] = Int16(clamping: row) }
        }
        self.slots = slots
    }

    func row(of word: String) -> Int? {
        var word = word
        return word.withUTF8 { row(of: $0) }
    }

    func row(of word: UnsafeBufferPointer<UInt8>) -> Int? {
        var slot = Self.hash(word) & (slots.count - 1)
        while slots[slot] >= 0 {
            let row = Int(slots[slot])
            if words[row].withUnsafeBufferPointer({ Self.areEqual($0, word) }) { return row }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private static func areEqual(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        for index in left.indices where left[index] != right[index] { return false }
        return true
    }

    /// FNV-1a. Keywords are known: nobody makes them collide.
    private static func hash(_ word: UnsafeBufferPointer<UInt8>) -> Int {
        var hash: UInt32 = 0x811C_9DC5
        for byte in word { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return Int(hash ^ hash >> 15)
    }
}

extension Grammars {
    /// The words of a kind of block; nil where none are known.
    static func words(of kind: BlockKind) -> WordIndex? {
        switch kind {
        case .file: file.words
        case .globalDefinitions: globalDefinitions.words
        case .script: script.words
        case .trackFile: trackFile.words
        case .trackProcess: trackProcess.words
        case .trackUnit: trackUnit.words
        case .syncGroup: syncGroup.words
        case .garpGroup: garpGroup.words
        case .trackGroup: trackGroup.words
        case .instance: instance.words
        case .authentication: authentication.words
        case .authenticationHMAC: authenticationHMAC.words
        case .bfd: bfd.words
        case .ssl: ssl.words
        case .virtualServer: virtualServer.words
        case .realServer: realServer.words
        case .tcpCheck: tcpCheck.words
        case .httpGet: httpGet.words
        case .sslGet: sslGet.words
        case .url: url.words
        case .smtpCheck: smtpCheck.words
        case .smtpHost: smtpHost.words
        case .dnsCheck: dnsCheck.words
        case .pingCheck: pingCheck.words
        case .udpCheck: udpCheck.words
        case .miscCheck: miscCheck.words
        case .fileCheck: fileCheck.words
        case .bfdCheck: bfdCheck.words
        case .list, .unknown: nil
        }
    }
}
