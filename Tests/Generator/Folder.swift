// Where the interfaces and the generated files are in the source tree, for the tool and for the test that they agree.
public import Foundation
import Varlink

/// The two folders of the source tree.
public enum Folder {
    private static let bus = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/Bus")
    /// The generated files, and hand-written extensions beside them.
    public static let api = bus.appending(path: "API")
    /// The .varlink files.
    public static let interfaces = bus.appending(path: "interfaces")

    /// What stands in the first line of a generated file and of no other.
    public static let mark = "// Generated from Sources/Bus/interfaces"

    /// What the files of `interfaces` make.
    public static func generated() throws -> [GeneratedFile] {
        let names = try FileManager.default.contentsOfDirectory(atPath: interfaces.path)
            .filter { $0.hasSuffix(".varlink") }
        return try InterfaceFiles(
            names.sorted().map { name in
                let text = try String(contentsOf: interfaces.appending(path: name), encoding: .utf8)
                do throws(IDLError) {
                    return try InterfaceDefinition(parsing: text)
                } catch {
                    throw GeneratorError("\(name):\(error)")
                }
            }
        ).files()
    }

    /// The generated files that are there now, with their texts.
    public static func current() throws -> [GeneratedFile] {
        try FileManager.default.contentsOfDirectory(atPath: api.path).sorted().compactMap { name in
            let text = try String(contentsOf: api.appending(path: name), encoding: .utf8)
            return text.hasPrefix(mark) ? GeneratedFile(name: name, text: text) : nil
        }
    }
}
