// Parse: nlohmann's parser reports events, from which a builder makes a Value. The parser itself
// does not recurse.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.hpp"
#include "wire/json/limits.hpp"
#include "wire/json/value.hpp"

namespace meridian::wire::json {
namespace {

// Names and signatures are those of nlohmann's SAX interface. `false` stops the parser.
class Builder {
 public:
  bool null() { return Put(nullptr); }
  bool boolean(bool value) { return Put(value); }
  bool number_integer(int64_t value) { return Put(value); }
  bool number_unsigned(uint64_t value) { return Put(value); }
  bool number_float(double value, const std::string& /*spelling*/) { return Put(value); }
  bool string(std::string& value) { return Put(std::move(value)); }
  bool binary(nlohmann::json::binary_t& /*value*/) { return false; }  // not part of JSON

  bool start_object(size_t /*members*/) { return Open(Value::Object()); }
  bool key(std::string& name) {
    std::get<Value::Object>(open_.back()->content()).push_back({std::move(name), Value()});
    return true;
  }
  bool end_object() { return Close(); }
  bool start_array(size_t /*elements*/) { return Open(Value::Array()); }
  bool end_array() { return Close(); }

  bool parse_error(size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::json::exception& /*error*/) {
    return false;
  }

  bool too_deep() const { return too_deep_; }
  Value Take() { return std::move(root_); }

 private:
  // The value that the next event fills.
  Value& Next() {
    if (open_.empty()) return root_;
    Value::Content& parent = open_.back()->content();
    if (auto* array = std::get_if<Value::Array>(&parent)) return array->emplace_back();
    return std::get<Value::Object>(parent).back().value;
  }

  bool Put(Value::Content content) {
    Next().content() = std::move(content);
    return true;
  }

  bool Open(Value::Content empty) {
    too_deep_ = open_.size() == kMaxDepth;
    if (too_deep_) return false;
    Value& value = Next();
    value.content() = std::move(empty);
    open_.push_back(&value);
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  Value root_;
  std::vector<Value*> open_;  // open arrays and objects, each inside the previous one
  bool too_deep_ = false;
};

}  // namespace

Result<Value> Parse(std::string_view text, size_t max_bytes) {
  if (text.size() > max_bytes) {
    return Fail(Errc::kTooLarge, "a message of {} bytes; at most {} are allowed", text.size(),
                max_bytes);
  }
  // nlohmann's parser takes NUL for the end of the text. Valid JSON has none: strings escape it.
  if (text.contains('\0')) return Fail(Errc::kInvalid, "not JSON: a NUL byte");
  Builder builder;
  if (nlohmann::json::sax_parse(text, &builder)) return builder.Take();
  if (builder.too_deep()) {
    return Fail(Errc::kTooLarge, "JSON is nested deeper than {} levels", kMaxDepth);
  }
  return Fail(Errc::kInvalid, "not JSON");
}

}  // namespace meridian::wire::json
