-- Every process counts the erasures that are not finished, and warns of them. Who is erased and why stays with the owner.
GRANT SELECT (begun_at, "position") ON synap.erasures TO synap_app;
