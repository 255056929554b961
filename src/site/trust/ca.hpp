// The site CA: signs the certificates by which data centers trust each other, and the edge's HTTPS
// certificate until the edge has a public certificate. Made once and kept in the state directory's
// ca/:
//
//   authority.pem       the CA's certificate, which others trust. P-256, ten years
//   authority.key       its key. Without it nothing is signed: a server that runs one data center
//   gets authority.pem, web.pem and its own data center's file dc-NAME.pem         key and
//   certificate of data center NAME, for mutual TLS on peer and admin
//                       ports: PeerName and the address; one year
//   web.pem             key and certificate for visitors: the domain, everything one label below
//   it,
//                       and all addresses; one year
//
// No other code writes there. Each file is replaced whole. A file that is damaged, for other names,
// or has less than a third of its lifetime left is made again, except authority.pem.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"

namespace meridian::site {

struct SiteCa {
  std::filesystem::path authority;
  // Each file holds a private key and its certificate: pass it to OpenSSL as both.
  std::map<std::string, std::filesystem::path> datacenters;
  std::filesystem::path web;
  // The files with less than a third of their lifetime left that cannot be signed again here.
  std::vector<std::filesystem::path> expiring;
};

// The name of a data center in mutual TLS, independent of its address:
// "us-east.dc.photos.meridian". Never in the DNS.
std::string PeerName(std::string_view data_center, const Site& site);
// The peer names of all data centers of the site. Mutual TLS accepts no other name, even in a
// certificate that the site's authority has signed.
std::vector<std::string> PeerNames(const Site& site);

// Makes or renews the files for `datacenters` (names of the site's data centers). Blocks; safe
// among processes that start at the same time. kInvalid when authority.pem is damaged or has
// expired.
Result<SiteCa> EnsureCa(const StateDir& state, const Site& site,
                        const std::vector<std::string>& datacenters, WallTime now);

}  // namespace meridian::site
