// Reads and writes the RDATA of SVCB and HTTPS records (RFC 9460).
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/dns/record.hpp"

namespace meridian::wire::dns {

// Keys of the registry (RFC 9460 section 14.3.2) that have a field in ServiceBinding.
enum class ServiceKey : uint16_t {
  kMandatory = 0,
  kAlpn = 1,
  kPort = 3,
  kIpv4Hint = 4,
  kIpv6Hint = 6
};

// Decodes all of `rdata`. kInvalid: keys are not strictly ascending, a value does not have its
// key's form, a mandatory key is missing, or the target is compressed.
Result<ServiceBinding> DecodeServiceBinding(Bytes rdata);

// Writes the RDATA without its length. `priority` replaces the binding's own, because steering
// orders the same bindings differently for each client.
void EncodeServiceBinding(uint16_t priority, const ServiceBinding& binding, ByteWriter* writer);

}  // namespace meridian::wire::dns
