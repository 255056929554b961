// Replaces secrets in the lines that an engine prints, before they reach a log or the status.
//
// An engine writes a secret in a spelling of its own: quoted in a message, the message as JSON, a
// URL without its password or with other escapes. So each secret is looked for in these spellings,
// and of a URL also the password, and the path with the query. A value; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace meridian::agent {

class SecretFilter {
 public:
  // Empty secrets are ignored.
  explicit SecretFilter(const std::vector<std::string>& secrets);

  // `line` with "[secret]" in place of each spelling. What was put in is not looked at again.
  std::string Hide(std::string_view line) const;

 private:
  std::vector<std::string> spellings_;  // the longest first
};

}  // namespace meridian::agent
