# Writes a small MaxMind DB of places: geo_database.pl PATH 4|6 (the version of IP that it holds).
use strict; use warnings;
use MaxMind::DB::Writer::Tree;
my ($path, $ip_version) = @ARGV;
my %types = (location => 'map', latitude => 'double', longitude => 'double', city => 'map',
             names => 'map', en => 'utf8_string', accuracy_radius => 'uint16',
             country_code => 'utf8_string', country => 'map', iso_code => 'utf8_string');
my $tree = MaxMind::DB::Writer::Tree->new(
  ip_version => $ip_version, record_size => 24, database_type => 'Meridian-Test-City',
  languages => ['en'], description => { en => 'Places for tests' },
  map_key_type_callback => sub { $types{ $_[0] } }, remove_reserved_networks => 0);
my $place = sub { { location => { latitude => $_[0], longitude => $_[1] } } };
$tree->insert_network('198.51.100.0/24', $place->(40.71, -74.01));
$tree->insert_network('203.0.113.0/25', $place->(45.52, -122.68));
$tree->insert_network('192.0.2.0/24', { city => { names => { en => 'Nowhere' } } });
$tree->insert_network('192.88.99.0/24', $place->(91, 0));
$tree->insert_network('233.252.0.0/24', { country_code => 'NL' });
$tree->insert_network('233.252.1.0/24', { country => { iso_code => 'JP' } });
$tree->insert_network('233.252.2.0/24', { country_code => 'ZZ' });
$tree->insert_network('2001:db8::/32', $place->(-33.87, 151.21)) if $ip_version == 6;
open my $file, '>:raw', $path or die "$path: $!";
$tree->write_tree($file);
close $file or die "$path: $!";
