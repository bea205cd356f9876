// What every Varlink service answers by itself: org.varlink.service, and the errors for calls that no handler should
// see. https://varlink.org/Service
internal import JSON

/// What a service says about itself.
public struct VarlinkServiceInfo: Hashable, Sendable {
    /// Who makes it.
    public var vendor: String
    /// What it is.
    public var product: String
    /// Its version.
    public var version: String
    /// Where to read about it.
    public var url: String

    /// A description.
    public init(vendor: String, product: String, version: String, url: String) {
        self.vendor = vendor
        self.product = product
        self.version = version
        self.url = url
    }

    /// The reply to GetInfo with these interfaces.
    public func reply(interfaces: [String]) -> VarlinkReply {
        VarlinkReply([
            "vendor": .string(vendor), "product": .string(product), "version": .string(version), "url": .string(url),
            "interfaces": .array(interfaces.map { .string($0) }),
        ])
    }
}

/// The errors of org.varlink.service.
public enum VarlinkServiceError: Error, Hashable, Sendable {
    case interfaceNotFound(String)
    case methodNotFound(String)
    case methodNotImplemented(String)
    case invalidParameter(String)
    case permissionDenied
    case expectedMore

    /// The error reply.
    public var reply: VarlinkReply {
        let prefix = VarlinkService.interface + "."
        return switch self {
        case .interfaceNotFound(let name):
            VarlinkReply(error: prefix + "InterfaceNotFound", ["interface": .string(name)])
        case .methodNotFound(let name): VarlinkReply(error: prefix + "MethodNotFound", ["method": .string(name)])
        case .methodNotImplemented(let name):
            VarlinkReply(error: prefix + "MethodNotImplemented", ["method": .string(name)])
        case .invalidParameter(let name):
            VarlinkReply(error: prefix + "InvalidParameter", ["parameter": .string(name)])
        case .permissionDenied: VarlinkReply(error: prefix + "PermissionDenied")
        case .expectedMore: VarlinkReply(error: prefix + "ExpectedMore")
        }
    }
}

/// The interfaces of a service and the checks that come before any handler.
public struct VarlinkService: Sendable {
    /// The interface that every service has.
    public static let interface = "org.varlink.service"

    /// Its definition, as varlink.org publishes it.
    public static let description = """
        # The Varlink Service Interface is provided by every varlink service. It
        # describes the service and the interfaces it implements.
        interface org.varlink.service

        # Get a list of all the interfaces a service provides and information
        # about the implementation.
        method GetInfo() -> (vendor: string, product: string, version: string, url: string, interfaces: []string)

        # Get the description of an interface that is implemented by this service.
        method GetInterfaceDescription(interface: string) -> (description: string)

        # The requested interface was not found.
        error InterfaceNotFound (interface: string)

        # The requested method was not found
        error MethodNotFound (method: string)

        # The interface defines the requested method, but the service does not
        # implement it.
        error MethodNotImplemented (method: string)

        # One of the passed parameters is invalid.
        error InvalidParameter (parameter: string)

        # Client is denied access
        error PermissionDenied ()

        # Method is expected to be called with 'more' set to true, but wasn't
        error ExpectedMore ()

        """

    /// What is to be done with a call.
    public enum Dispatch: Hashable, Sendable {
        /// Answer with this; no handler is concerned.
        case answer(VarlinkReply)
        /// Whoever answers the method; the parameters have the declared types.
        case handle
    }

    private let info: VarlinkServiceInfo
    private let definitions: [InterfaceDefinition]
    private let streaming: Set<String>

    /// A service. `streaming` are the full names of methods that make no sense without `more`.
    public init(info: VarlinkServiceInfo, interfaces: [InterfaceDefinition], streaming: Set<String> = []) {
        self.info = info
        definitions = interfaces
        self.streaming = streaming
    }

    /// Answers or checks a call.
    public func dispatch(_ call: VarlinkCall) -> Dispatch {
        do throws(VarlinkServiceError) {
            guard !call.upgrade else { throw .invalidParameter("upgrade") }
            guard let (interface, member) = VarlinkCall.split(call.method) else { throw .methodNotFound(call.method) }
            if interface == Self.interface { return .answer(try answer(String(member), call.parameters)) }
            guard let definition = definitions.first(where: { $0.name == interface }) else {
                throw .interfaceNotFound(String(interface))
            }
            guard case .method(let input, _) = definition[String(member)]?.declaration else {
                throw .methodNotFound(call.method)
            }
            guard call.more || !streaming.contains(call.method) else { throw .expectedMore }
            do throws(JSONCodingError) {
                try definition.check(call.parameters, against: input)
            } catch {
                throw .invalidParameter(error.path)
            }
            return .handle
        } catch {
            return .answer(error.reply)
        }
    }

    private func answer(_ member: String, _ parameters: JSONObject) throws(VarlinkServiceError) -> VarlinkReply {
        switch member {
        case "GetInfo":
            return info.reply(interfaces: [Self.interface] + definitions.map(\.name))
        case "GetInterfaceDescription":
            guard let name = parameters["interface"]?.string else { throw .invalidParameter("interface") }
            let text = name == Self.interface ? Self.description : definitions.first { $0.name == name }?.text
            guard let text else { throw .interfaceNotFound(name) }
            return VarlinkReply(["description": .string(text)])
        default: throw .methodNotFound("\(Self.interface).\(member)")
        }
    }
}
