// Parsed HTTP/1.1 heads. All text is views into the parsed bytes: a head is valid as long as those
// bytes stay in place (Rebase adjusts it when they move). One owner, one thread; reuse a head, so
// that parsing allocates nothing after warm-up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "wire/http/characters.hpp"

namespace meridian::wire::http {

struct HeaderField {
  std::string_view name;
  std::string_view value;  // without the white space around it
  // The parser found name and value valid (RFC 9110 5), so a writer need not check them again.
  // False for a field that was not parsed.
  bool checked = false;

  bool operator==(const HeaderField& other) const {
    return name == other.name && value == other.value;
  }
};

// The elements of a comma-separated list value (RFC 9110 5.6.1), trimmed; empty ones are skipped,
// commas inside quoted strings do not separate.
class ListElements {
 public:
  explicit ListElements(std::string_view value) : rest_(value) {}
  // The next element, or nothing at the end.
  std::optional<std::string_view> Next();

 private:
  std::string_view rest_;
};

// Fields in the order they came. Names compare without case.
class HeaderFields {
 public:
  void Add(std::string_view name, std::string_view value) { fields_.push_back({name, value}); }
  void Add(const HeaderField& field) { fields_.push_back(field); }
  void Remove(std::string_view name) {
    std::erase_if(fields_, [&](const HeaderField& f) { return EqualsIgnoreCase(f.name, name); });
  }
  // Removes each field for which `remove(name)` is true.
  template <class Predicate>
  void RemoveIf(Predicate remove) {
    std::erase_if(fields_, [&](const HeaderField& f) { return remove(f.name); });
  }
  void Clear() { fields_.clear(); }
  void Reserve(size_t count) { fields_.reserve(count); }
  size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  const HeaderField& operator[](size_t index) const { return fields_[index]; }
  std::span<const HeaderField> span() const { return fields_; }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

  // The value of the first field called `name`.
  std::optional<std::string_view> Find(std::string_view name) const;
  bool Has(std::string_view name) const { return Find(name).has_value(); }
  size_t Count(std::string_view name) const;

  // Calls `visit(value)` for each field called `name`, in order.
  template <class Visitor>
  void ForEach(std::string_view name, Visitor visit) const {
    for (const HeaderField& field : fields_) {
      if (EqualsIgnoreCase(field.name, name)) visit(field.value);
    }
  }
  // Calls `visit(element)` for each list element of all fields called `name`, as if they were one.
  template <class Visitor>
  void ForEachElement(std::string_view name, Visitor visit) const {
    ForEach(name, [&visit](std::string_view value) {
      ListElements elements(value);
      while (auto element = elements.Next()) visit(*element);
    });
  }

  // Moves views into [from, from + size) to the same offsets after `to`.
  void Rebase(const char* from, size_t size, const char* to);

 private:
  std::vector<HeaderField> fields_;
};

// A view of fields to be written: a HeaderFields, an array or a braced list. It holds no copy: an
// argument of a call must be valid until the call, or the await of it, ends.
class FieldsView {
 public:
  FieldsView() = default;
  FieldsView(const HeaderFields& fields) : FieldsView(fields.span()) {}  // NOLINT: a view
  FieldsView(std::span<const HeaderField> fields)                        // NOLINT: a view
      : begin_(fields.data()), size_(fields.size()) {}
  FieldsView(std::initializer_list<HeaderField> fields)
      : begin_(fields.begin()), size_(fields.size()) {}

  const HeaderField* begin() const { return begin_; }
  const HeaderField* end() const { return begin_ + size_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  const HeaderField* begin_ = nullptr;
  size_t size_ = 0;
};

// The length of the body after a head (RFC 9112 6.3).
struct BodyFraming {
  enum class Kind : uint8_t {
    kNone,           // there is no body
    kContentLength,  // exactly `length` bytes, which may be 0
    kChunked,        // chunked transfer coding
    kUntilClose,     // only responses: all bytes until the connection ends
  };
  Kind kind = Kind::kNone;
  uint64_t length = 0;

  // Whether body bytes may follow the head.
  bool has_body() const { return kind == Kind::kContentLength ? length > 0 : kind != Kind::kNone; }
  bool operator==(const BodyFraming&) const = default;
};

// The four forms of a request target (RFC 9112 3.2).
enum class TargetForm : uint8_t { kOrigin, kAbsolute, kAuthority, kAsterisk };

struct RequestHead {
  std::string_view method;  // case-sensitive
  std::string_view target;  // as received
  TargetForm form = TargetForm::kOrigin;
  // The requested host with optional port: from the target in absolute-form (Host is then ignored)
  // and authority-form, else from Host. Empty only in HTTP/1.0 without Host.
  std::string_view authority;
  // "/..." as received, "*" in asterisk-form (also OPTIONS in absolute-form without a path), empty
  // in authority-form. The query has no '?'.
  std::string_view path;
  std::optional<std::string_view> query;
  int minor_version = 1;
  HeaderFields fields;
  BodyFraming body;
  bool keep_alive = true;         // the connection may serve another request after this one
  bool expects_continue = false;  // Expect: 100-continue, in HTTP/1.1
  bool nominates_fields = false;  // Connection names fields beside the standard options
  std::string_view upgrade;       // value of Upgrade if Connection nominates it, in HTTP/1.1

  void Clear();
  void Rebase(const char* from, size_t size, const char* to);
};

struct ResponseHead {
  int status = 0;           // 100 to 599
  std::string_view reason;  // as received, may be empty
  int minor_version = 1;
  HeaderFields fields;
  BodyFraming body;
  // Content-Length, also in responses without body: to HEAD, and 304.
  std::optional<uint64_t> content_length;
  bool keep_alive = true;
  bool nominates_fields = false;
  std::string_view upgrade;

  // 1xx except 101: another head follows for the same request.
  bool is_interim() const { return status < 200 && status != 101; }

  void Clear();
  void Rebase(const char* from, size_t size, const char* to);
};

}  // namespace meridian::wire::http
