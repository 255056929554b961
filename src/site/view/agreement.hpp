// What site.toml must say the same in every data center, as digests that agents compare: they tell
// which key differs, and no value leaves its host. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "site/site.hpp"

namespace meridian::site {

// By what it is, as the file calls it: "domain", "[edge] port", "[[datacenter]] us-east". At most
// kMaxAgreementEntries.
std::map<std::string, std::string> AgreementOf(const Site& site);

// The first that differs. Nothing: all agree, or the other's release says nothing of it.
std::optional<std::string> FirstDifference(const std::map<std::string, std::string>& ours,
                                           const std::map<std::string, std::string>& theirs);

}  // namespace meridian::site
