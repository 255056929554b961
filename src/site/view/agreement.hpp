// Digests of the settings that site.toml must have in common in every data center. Agents compare
// the digests, and so find the key that differs without sending a value. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "site/site.hpp"

namespace meridian::site {

// Digests by the key's name in the file: "domain", "[edge] port", "[[datacenter]] us-east". At most
// kMaxAgreementEntries.
std::map<std::string, std::string> AgreementOf(const Site& site);

// The name of the first digest that differs. Nothing: all that both have are equal.
std::optional<std::string> FirstDifference(const std::map<std::string, std::string>& ours,
                                           const std::map<std::string, std::string>& theirs);

}  // namespace meridian::site
