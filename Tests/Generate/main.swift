// `make generate`: writes the Swift files of the interfaces anew (Tests/Generator), and removes those that no interface
// asks for any more.
import Foundation
import Generator

do {
    let generated = try Folder.generated()
    let current = try Folder.current()
    for file in generated where !current.contains(file) {
        try file.text.write(to: Folder.api.appending(path: file.name), atomically: true, encoding: .utf8)
        print("written: \(file.name)")
    }
    for file in current where !generated.contains(where: { $0.name == file.name }) {
        try FileManager.default.removeItem(at: Folder.api.appending(path: file.name))
        print("removed: \(file.name)")
    }
} catch {
    FileHandle.standardError.write(Data("generate: \(error)\n".utf8))
    exit(1)
}
