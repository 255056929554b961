// MessageFields: reads the members of one JSON object of a message strictly. The first member that
// is of the wrong type or past its limit becomes the error; every later read gives an empty value.
// For search_message; it must not outlive the JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "watch/log/entry.hpp"
#include "wire/json/value.hpp"

namespace meridian::watch {

class MessageFields {
 public:
  // All readers of one message share `error`.
  MessageFields(const wire::json::Value& object, std::optional<Error>* error);

  // A member that is missing gives an empty value: "", 0, false, nothing.
  std::string Text(std::string_view name, size_t max_bytes);
  std::vector<std::string> Texts(std::string_view name, size_t max, size_t max_bytes);
  std::optional<LogTime> Time(std::string_view name);
  std::optional<int64_t> Integer(std::string_view name);
  std::optional<uint64_t> Unsigned(std::string_view name, uint64_t max);
  bool Boolean(std::string_view name);
  std::span<const wire::json::Value> Elements(std::string_view name, size_t max);
  const wire::json::Value* Object(std::string_view name);

  // Records an error of the member `name`.
  void Reject(Errc code, std::string_view name, std::string_view why);
  // Rejects members that were not read.
  void RejectOthers();

 private:
  const wire::json::Value* Find(std::string_view name);

  const wire::json::Value& object_;
  std::optional<Error>* error_;
  std::vector<std::string_view> read_;
};

}  // namespace meridian::watch
