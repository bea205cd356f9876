import Bus
import Testing

@testable import lbctl

@Suite struct ScreenTests {
    @Test func print() throws {
        Swift.print(shown { $0.add(Status.well) })
        Swift.print(shown { $0.add(Status.troubled) })
        Swift.print(shown { $0.add(Status.well.instances[0]) })
        Swift.print(shown { $0.add(Status.troubled.instances[2]) })
        Swift.print(shown { $0.add(Status.troubled.services[0]) })
        Swift.print(shown { $0.add($0.serviceTable(Status.troubled.services)) })
        Swift.print(shown { $0.add($0.serverTable(Status.troubled.services)) })
        Swift.print(shown { $0.add($0.instanceTable(Status.troubled.instances)) })
    }
}
